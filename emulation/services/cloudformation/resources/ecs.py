"""AWS::ECS. A service counts as created, updated or deleted once its tasks have followed."""

from __future__ import annotations

from typing import Any

from ..errors import PropertyError, ResourceError
from ..summary import words
from .base import ResourceType, Work, tagging

retag = tagging("ecs", "TagResource", "UntagResource", "resourceArn", keys="tagKeys")

POLL_SECONDS = 3.0
"""AWS seconds between two looks at a service that is not stable yet."""

STABILIZE_SECONDS = 3 * 3600.0
"""AWS seconds until CloudFormation gives a service up (three hours, as on AWS)."""


async def create_cluster(work: Work) -> None:
    params = work.params("ecs", "CreateCluster", leave="ClusterName", renamed={"ClusterSettings": "settings"})
    answer = await work.call("ecs", "CreateCluster", clusterName=work.name(), **params)
    work.made(answer["cluster"]["clusterName"], Arn=answer["cluster"]["clusterArn"])


async def update_cluster(work: Work) -> None:
    if work.changed("ClusterSettings", "Configuration", "ServiceConnectDefaults"):
        params = work.params(
            "ecs",
            "UpdateCluster",
            only="ClusterSettings Configuration ServiceConnectDefaults",
            renamed={"ClusterSettings": "settings"},
        )
        await work.call("ecs", "UpdateCluster", cluster=work.physical_id, **params)
    if work.changed("CapacityProviders", "DefaultCapacityProviderStrategy"):
        params = {"capacityProviders": [], "defaultCapacityProviderStrategy": []} | work.params(
            "ecs", "PutClusterCapacityProviders", only="CapacityProviders DefaultCapacityProviderStrategy"
        )
        await work.call("ecs", "PutClusterCapacityProviders", cluster=work.physical_id, **params)


async def delete_cluster(work: Work) -> None:
    await work.call("ecs", "DeleteCluster", cluster=work.physical_id)


async def create_task_definition(work: Work) -> None:
    params = {"containerDefinitions": []} | work.params("ecs", "RegisterTaskDefinition", leave="Family")
    answer = await work.call("ecs", "RegisterTaskDefinition", family=work.name(given_by="Family"), **params)
    arn = answer["taskDefinition"]["taskDefinitionArn"]
    work.made(arn, TaskDefinitionArn=arn)


async def update_task_definition(work: Work) -> None:
    """Only tags can change; anything else is a new revision, which is a replacement."""


async def delete_task_definition(work: Work) -> None:
    await work.call("ecs", "DeregisterTaskDefinition", taskDefinition=work.physical_id)


_RENAMED = {"PlacementStrategies": "placementStrategy"}
_ONLY_AT_CREATION = "Cluster Role SchedulingStrategy ServiceName LaunchType DeploymentController"


async def create_service(work: Work) -> None:
    params = work.params("ecs", "CreateService", leave="ServiceName ForceNewDeployment", renamed=_RENAMED)
    if params.get("schedulingStrategy") != "DAEMON":
        params.setdefault("desiredCount", 1)
    answer = await work.call("ecs", "CreateService", serviceName=work.name(), **params)
    service = answer["service"]
    work.made(service["serviceArn"], Name=service["serviceName"], ServiceArn=service["serviceArn"])


async def update_service(work: Work) -> None:
    kept = f"{_ONLY_AT_CREATION} DesiredCount ForceNewDeployment"
    params = work.params("ecs", "UpdateService", leave=kept, renamed=_RENAMED)
    params.pop("tags", None)
    if work.changed("DesiredCount"):  # otherwise auto scaling's number stands
        params |= work.params("ecs", "UpdateService", only="DesiredCount")
    if work.changed("ForceNewDeployment"):
        forced = work.get("ForceNewDeployment", {})
        if not isinstance(forced, dict) or set(forced) - {"EnableForceNewDeployment", "ForceNewDeploymentNonce"}:
            raise PropertyError("Encountered unsupported property in ForceNewDeployment")
        params["forceNewDeployment"] = str(forced.get("EnableForceNewDeployment")).lower() == "true"
    await work.call("ecs", "UpdateService", cluster=_cluster(work), service=work.physical_id, **params)


async def stable(work: Work) -> None:
    """Wait until one deployment is left and runs as many tasks as desired, as `aws ecs wait services-stable` does."""
    deadline = work.ctx.clock.now() + STABILIZE_SECONDS
    while not _is_stable(service := await _described(work)):
        if work.ctx.clock.now() > deadline:
            last = service["events"][0]["message"] if service.get("events") else "no service event"
            raise ResourceError(f"Resource timed out waiting for completion: service did not stabilize; {last}")
        await work.ctx.clock.sleep(POLL_SECONDS)


def _is_stable(service: dict[str, Any]) -> bool:
    deployments = service.get("deployments", [])
    for deployment in deployments:
        if deployment.get("status") == "PRIMARY" and deployment.get("rolloutState") == "FAILED":
            raise ResourceError(
                "Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'. "
                f"{deployment.get('rolloutStateReason', '')}".strip()
            )
    return len(deployments) == 1 and service["runningCount"] == service["desiredCount"]


async def _described(work: Work) -> dict[str, Any]:
    answer = await work.call("ecs", "DescribeServices", cluster=_cluster(work), services=[work.physical_id])
    if not answer["services"]:
        raise ResourceError(f"Service {work.physical_id} was not found", code="ServiceNotFoundException")
    service: dict[str, Any] = answer["services"][0]
    return service


async def delete_service(work: Work) -> None:
    cluster = _cluster(work)
    await work.call("ecs", "DeleteService", cluster=cluster, service=work.physical_id, force=True)
    while (await _described(work))["status"] != "INACTIVE":  # it drains until its last task has stopped
        await work.ctx.clock.sleep(POLL_SECONDS)


def _cluster(work: Work) -> str:
    return work.text("Cluster") if "Cluster" in work.properties else "default"


TYPES = (
    ResourceType(
        "AWS::ECS::Cluster",
        properties=words(
            "CapacityProviders ClusterName ClusterSettings Configuration DefaultCapacityProviderStrategy "
            "ServiceConnectDefaults Tags"
        ),
        replacing=words("ClusterName"),
        attributes=words("Arn"),
        named="ClusterName",
        create=create_cluster,
        update=update_cluster,
        delete=delete_cluster,
        retag=retag,
    ),
    ResourceType(
        "AWS::ECS::TaskDefinition",
        properties=words(
            "ContainerDefinitions Cpu EnableFaultInjection EphemeralStorage ExecutionRoleArn Family "
            "InferenceAccelerators IpcMode Memory NetworkMode PidMode PlacementConstraints ProxyConfiguration "
            "RequiresCompatibilities RuntimePlatform Tags TaskRoleArn Volumes"
        ),
        replacing=words(
            "ContainerDefinitions Cpu EnableFaultInjection EphemeralStorage ExecutionRoleArn Family "
            "InferenceAccelerators IpcMode Memory NetworkMode PidMode PlacementConstraints ProxyConfiguration "
            "RequiresCompatibilities RuntimePlatform TaskRoleArn Volumes"
        ),
        attributes=words("TaskDefinitionArn"),
        create=create_task_definition,
        update=update_task_definition,
        delete=delete_task_definition,
        retag=tagging("ecs", "TagResource", "UntagResource", "resourceArn", by="TaskDefinitionArn", keys="tagKeys"),
    ),
    ResourceType(
        "AWS::ECS::Service",
        properties=words(
            "AvailabilityZoneRebalancing CapacityProviderStrategy Cluster DeploymentConfiguration DeploymentController "
            "DesiredCount EnableECSManagedTags EnableExecuteCommand ForceNewDeployment HealthCheckGracePeriodSeconds "
            "LaunchType LoadBalancers NetworkConfiguration PlacementConstraints PlacementStrategies PlatformVersion "
            "PropagateTags Role SchedulingStrategy ServiceConnectConfiguration ServiceName ServiceRegistries Tags "
            "TaskDefinition VolumeConfigurations"
        ),
        replacing=words(_ONLY_AT_CREATION),
        not_emulated=words("GatewayConnectors Monitoring VpcLatticeConfigurations"),
        attributes=words("Name ServiceArn"),
        named="ServiceName",
        create=create_service,
        update=update_service,
        delete=delete_service,
        stabilize=stable,
        retag=tagging("ecs", "TagResource", "UntagResource", "resourceArn", by="ServiceArn", keys="tagKeys"),
    ),
)
