"""AWS::ECS. A service is created, updated or deleted when its tasks are."""

from __future__ import annotations

from typing import Any

from ..errors import PropertyError, ResourceError
from .base import Job, ResourceType, deleting, retagging, update_tags_only

POLL_SECONDS = 3.0
"""AWS seconds between two polls of a service that is not stable yet."""

STABILIZE_SECONDS = 3 * 3600.0
"""AWS seconds until CloudFormation stops waiting for a service (three hours, as on AWS)."""


_CLUSTER = {"ClusterSettings": "settings"}


async def create_cluster(job: Job) -> None:
    answer = await job.send("ecs", "CreateCluster", omit="ClusterName", renamed=_CLUSTER, clusterName=job.name())
    job.created(answer["cluster"]["clusterName"], Arn=answer["cluster"]["clusterArn"])


async def update_cluster(job: Job) -> None:
    if job.changed("ClusterSettings", "Configuration", "ServiceConnectDefaults"):
        only = "ClusterSettings Configuration ServiceConnectDefaults"
        await job.send("ecs", "UpdateCluster", only=only, renamed=_CLUSTER, cluster=job.physical_id)
    if job.changed("CapacityProviders", "DefaultCapacityProviderStrategy"):
        params = {"capacityProviders": [], "defaultCapacityProviderStrategy": []} | job.params(
            "ecs", "PutClusterCapacityProviders", only="CapacityProviders DefaultCapacityProviderStrategy"
        )
        await job.call("ecs", "PutClusterCapacityProviders", cluster=job.physical_id, **params)


async def create_task_definition(job: Job) -> None:
    params = {"containerDefinitions": []} | job.params("ecs", "RegisterTaskDefinition", omit="Family")
    answer = await job.call("ecs", "RegisterTaskDefinition", family=job.name(given_by="Family"), **params)
    arn = answer["taskDefinition"]["taskDefinitionArn"]
    job.created(arn, TaskDefinitionArn=arn)


_RENAMED = {"PlacementStrategies": "placementStrategy"}
_ONLY_AT_CREATION = "Cluster Role SchedulingStrategy ServiceName LaunchType DeploymentController"


async def create_service(job: Job) -> None:
    params = job.params("ecs", "CreateService", omit="ServiceName ForceNewDeployment", renamed=_RENAMED)
    if params.get("schedulingStrategy") != "DAEMON":
        params.setdefault("desiredCount", 1)
    answer = await job.call("ecs", "CreateService", serviceName=job.name(), **params)
    service = answer["service"]
    job.created(service["serviceArn"], Name=service["serviceName"], ServiceArn=service["serviceArn"])


async def update_service(job: Job) -> None:
    kept = f"{_ONLY_AT_CREATION} ForceNewDeployment"  # DesiredCount is set again, whatever auto scaling made of it
    params = job.params("ecs", "UpdateService", omit=kept, renamed=_RENAMED)
    params.pop("tags", None)
    if job.changed("ForceNewDeployment"):
        forced = job.get("ForceNewDeployment", {})
        if not isinstance(forced, dict) or set(forced) - {"EnableForceNewDeployment", "ForceNewDeploymentNonce"}:
            raise PropertyError("Encountered unsupported property in ForceNewDeployment")
        params["forceNewDeployment"] = str(forced.get("EnableForceNewDeployment")).lower() == "true"
    await job.call("ecs", "UpdateService", cluster=_cluster(job), service=job.physical_id, **params)


async def stable(job: Job) -> None:
    """Wait until one deployment is left and runs as many tasks as desired, as `aws ecs wait services-stable` does."""
    deadline = job.ctx.clock.now() + STABILIZE_SECONDS
    while not _is_stable(service := await _described(job)):
        if job.ctx.clock.now() > deadline:
            last = service["events"][0]["message"] if service.get("events") else "no service event"
            raise ResourceError(f"Resource timed out waiting for completion: service did not stabilize; {last}")
        await job.ctx.clock.sleep(POLL_SECONDS)


def _is_stable(service: dict[str, Any]) -> bool:
    deployments = service.get("deployments", [])
    for deployment in deployments:
        if deployment.get("status") == "PRIMARY" and deployment.get("rolloutState") == "FAILED":
            raise ResourceError(
                "Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'. "
                f"{deployment.get('rolloutStateReason', '')}".strip()
            )
    return len(deployments) == 1 and service["runningCount"] == service["desiredCount"]


async def _described(job: Job) -> dict[str, Any]:
    answer = await job.call("ecs", "DescribeServices", cluster=_cluster(job), services=[job.physical_id])
    if not answer["services"]:
        raise ResourceError(f"Service {job.physical_id} was not found", code="ServiceNotFoundException")
    service: dict[str, Any] = answer["services"][0]
    return service


async def delete_service(job: Job) -> None:
    cluster = _cluster(job)
    await job.call("ecs", "DeleteService", cluster=cluster, service=job.physical_id, force=True)
    while (await _described(job))["status"] != "INACTIVE":  # it drains until its last task has stopped
        await job.ctx.clock.sleep(POLL_SECONDS)


def _cluster(job: Job) -> str:
    return job.text("Cluster") if "Cluster" in job.properties else "default"


TYPES = (
    ResourceType(
        "AWS::ECS::Cluster",
        properties=(
            "CapacityProviders ClusterName ClusterSettings Configuration DefaultCapacityProviderStrategy "
            "ServiceConnectDefaults Tags"
        ),
        create_only="ClusterName",
        attributes="Arn",
        name_property="ClusterName",
        create=create_cluster,
        update=update_cluster,
        delete=deleting("ecs", "DeleteCluster", "cluster"),
        retag=retagging("ecs"),
    ),
    ResourceType(
        "AWS::ECS::TaskDefinition",
        properties=(
            "ContainerDefinitions Cpu EnableFaultInjection EphemeralStorage ExecutionRoleArn Family "
            "InferenceAccelerators IpcMode Memory NetworkMode PidMode PlacementConstraints ProxyConfiguration "
            "RequiresCompatibilities RuntimePlatform Tags TaskRoleArn Volumes"
        ),
        create_only=(
            "ContainerDefinitions Cpu EnableFaultInjection EphemeralStorage ExecutionRoleArn Family "
            "InferenceAccelerators IpcMode Memory NetworkMode PidMode PlacementConstraints ProxyConfiguration "
            "RequiresCompatibilities RuntimePlatform TaskRoleArn Volumes"
        ),
        attributes="TaskDefinitionArn",
        create=create_task_definition,
        update=update_tags_only,
        delete=deleting("ecs", "DeregisterTaskDefinition", "taskDefinition"),
        retag=retagging("ecs", by="TaskDefinitionArn"),
    ),
    ResourceType(
        "AWS::ECS::Service",
        properties=(
            "AvailabilityZoneRebalancing CapacityProviderStrategy Cluster DeploymentConfiguration DeploymentController "
            "DesiredCount EnableECSManagedTags EnableExecuteCommand ForceNewDeployment HealthCheckGracePeriodSeconds "
            "LaunchType LoadBalancers NetworkConfiguration PlacementConstraints PlacementStrategies PlatformVersion "
            "PropagateTags Role SchedulingStrategy ServiceConnectConfiguration ServiceName ServiceRegistries Tags "
            "TaskDefinition VolumeConfigurations"
        ),
        create_only=_ONLY_AT_CREATION,
        not_emulated="GatewayConnectors Monitoring VpcLatticeConfigurations",
        attributes="Name ServiceArn",
        name_property="ServiceName",
        create=create_service,
        update=update_service,
        delete=delete_service,
        stabilize=stable,
        retag=retagging("ecs", by="ServiceArn"),
    ),
)
