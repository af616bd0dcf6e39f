"""Builds botocore's shapes of clusters, services, tasks and task definitions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from .model import STARTING, Attachment, Cluster, Container, Deployment, Service, Task
from .store import Store
from .task_definition import TaskDefinition

Shape = dict[str, Any]

_LATEST_PLATFORM = "1.4.0"


def time(epoch: float | None) -> datetime | None:
    return None if epoch is None else datetime.fromtimestamp(epoch, UTC)


def tags(values: Mapping[str, str]) -> list[Shape]:
    return [{"key": key, "value": value} for key, value in values.items()]


def missing(arn: str) -> Shape:
    return {"arn": arn, "reason": "MISSING"}


def cluster(it: Cluster, store: Store, include: frozenset[str] = frozenset()) -> Shape:
    running, pending = store.counts(it)
    shape: Shape = {
        "clusterArn": it.arn,
        "clusterName": it.name,
        "status": it.status,
        "registeredContainerInstancesCount": 0,
        "runningTasksCount": running,
        "pendingTasksCount": pending,
        "activeServicesCount": sum(each.status == "ACTIVE" for each in store.services(it)),
        "statistics": [],
        "tags": tags(it.tags) if "TAGS" in include else [],
        "settings": it.settings if "SETTINGS" in include else [],
        "capacityProviders": it.capacity_providers,
        "defaultCapacityProviderStrategy": it.default_strategy,
    }
    if "STATISTICS" in include:
        fargate = {"runningFargateTasksCount": running, "pendingFargateTasksCount": pending}
        shape["statistics"] = [{"name": name, "value": str(value)} for name, value in fargate.items()]
    return present(shape | {"configuration": it.configuration if "CONFIGURATIONS" in include else None})


def definition(it: TaskDefinition) -> Shape:
    shape = {
        **it.raw,
        "taskDefinitionArn": it.arn,
        "family": it.family,
        "revision": it.revision,
        "status": it.status,
        "requiresAttributes": [],
        "compatibilities": list(it.compatibilities),
        "registeredAt": time(it.registered_at),
        "registeredBy": it.registered_by,
        "deregisteredAt": time(it.deregistered_at),
        "deleteRequestedAt": time(it.delete_requested_at),
    }
    return present(shape)


def service(it: Service, tasks: list[Task], *, with_tags: bool = False) -> Shape:
    """`tasks` are the service's tasks that have not stopped."""
    revision = it.primary.revision
    shape = {
        **it.settings,
        "serviceArn": it.arn,
        "serviceName": it.name,
        "clusterArn": it.cluster.arn,
        "loadBalancers": list(revision.load_balancers),
        "serviceRegistries": [],
        "status": it.status,
        "desiredCount": it.desired_count,
        "runningCount": _running(tasks),
        "pendingCount": _pending(tasks),
        "launchType": revision.launch_type,
        "capacityProviderStrategy": list(revision.capacity_providers) or None,
        "platformVersion": revision.platform_version,
        "platformFamily": "Linux",
        "taskDefinition": revision.definition.arn,
        "deploymentConfiguration": it.configuration,
        "deployments": [deployment(each, it, tasks) for each in it.deployments],
        "roleArn": _service_role(it.arn),
        "events": [{"id": e.id, "createdAt": time(e.created_at), "message": e.message} for e in it.events],
        "createdAt": time(it.created_at),
        "networkConfiguration": revision.network,
        "healthCheckGracePeriodSeconds": it.grace_period,
        "createdBy": it.created_by,
        "tags": tags(it.tags) if with_tags else None,
    }
    return present(shape)


def deployment(it: Deployment, of: Service, tasks: list[Task]) -> Shape:
    own = [each for each in tasks if each.deployment is it]
    primary = it is of.primary and it.rollout_state != "FAILED"
    shape = {
        "id": it.id,
        "status": it.status,
        "taskDefinition": it.revision.definition.arn,
        "desiredCount": of.wanted if primary else sum(each.wanted for each in own),
        "pendingCount": _pending(own),
        "runningCount": _running(own),
        "failedTasks": it.failed_tasks,
        "createdAt": time(it.created_at),
        "updatedAt": time(it.updated_at),
        "launchType": it.revision.launch_type,
        "capacityProviderStrategy": list(it.revision.capacity_providers) or None,
        "platformVersion": _resolved(it.revision.platform_version),
        "platformFamily": "Linux",
        "networkConfiguration": it.revision.network,
        "rolloutState": it.rollout_state,
        "rolloutStateReason": it.rollout_reason,
    }
    return present(shape)


def task(it: Task, *, with_tags: bool = False) -> Shape:
    vcpus, memory = it.size
    shape = {
        "attachments": [_attachment(it.attachment)] if it.attachment else [],
        "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
        "availabilityZone": it.zone,
        "capacityProviderName": it.capacity_provider,
        "clusterArn": it.cluster.arn,
        "connectivity": "CONNECTED" if it.connected_at else None,
        "connectivityAt": time(it.connected_at),
        "containers": [_container(each, it) for each in it.containers],
        "cpu": str(int(vcpus * 1024)),
        "createdAt": time(it.created_at),
        "desiredStatus": it.desired_status,
        "enableExecuteCommand": it.enable_execute_command,
        "executionStoppedAt": time(it.execution_stopped_at),
        "group": it.group,
        "healthStatus": it.health,
        "lastStatus": it.last_status,
        "launchType": it.launch_type,
        "memory": str(int(memory)),
        "overrides": {"inferenceAcceleratorOverrides": [], **it.overrides},
        "platformVersion": _resolved(it.platform_version),
        "platformFamily": "Linux",
        "pullStartedAt": time(it.pull_started_at),
        "pullStoppedAt": time(it.pull_stopped_at),
        "startedAt": time(it.started_at),
        "startedBy": it.started_by,
        "stopCode": it.stop_code,
        "stoppedAt": time(it.stopped_at),
        "stoppedReason": it.stopped_reason,
        "stoppingAt": time(it.stopping_at),
        "tags": tags(it.tags) if with_tags else [],
        "taskArn": it.arn,
        "taskDefinitionArn": it.definition.arn,
        "version": it.version,
        "ephemeralStorage": it.definition.raw.get("ephemeralStorage", {"sizeInGiB": 20}),
    }
    return present(shape)


def _container(it: Container, of: Task) -> Shape:
    interface = of.attachment
    shape = {
        "containerArn": it.arn,
        "taskArn": of.arn,
        "name": it.name,
        "image": it.image,
        "imageDigest": it.image_digest,
        "runtimeId": it.runtime_id,
        "lastStatus": it.last_status,
        "exitCode": it.exit_code,
        "reason": it.reason,
        "networkBindings": it.bindings,
        "networkInterfaces": [present({"attachmentId": interface.id, "privateIpv4Address": interface.address})]
        if interface
        else [],
        "healthStatus": it.health,
        "managedAgents": [_exec_agent(it)] if of.enable_execute_command else None,
        "cpu": str(it.definition.raw.get("cpu", 0)),
        "memory": _text(it.definition.raw.get("memory")),
        "memoryReservation": _text(it.definition.raw.get("memoryReservation")),
    }
    return present(shape)


def _exec_agent(it: Container) -> Shape:
    """ECS Exec's agent starts after its container and ends with it."""
    status = "PENDING" if it.agent_at is None and it.last_status == "RUNNING" else it.last_status
    return present({"name": "ExecuteCommandAgent", "lastStatus": status, "lastStartedAt": time(it.agent_at)})


def _attachment(it: Attachment) -> Shape:
    details = {
        "subnetId": it.subnet,
        "networkInterfaceId": it.interface_id,
        "macAddress": it.mac,
        "privateIPv4Address": it.address,
    }
    return {
        "id": it.id,
        "type": "ElasticNetworkInterface",
        "status": it.status,
        "details": [{"name": name, "value": value} for name, value in details.items() if value],
    }


def _running(tasks: list[Task]) -> int:
    return sum(each.last_status == "RUNNING" for each in tasks)


def _pending(tasks: list[Task]) -> int:
    return sum(each.last_status in STARTING for each in tasks)


def _service_role(service_arn: str) -> str:
    account = service_arn.split(":")[4]
    return f"arn:aws:iam::{account}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"


def _resolved(platform_version: str) -> str:
    """Deployments and tasks show the version behind LATEST."""
    return _LATEST_PLATFORM if platform_version == "LATEST" else platform_version


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)


def present(shape: Shape) -> Shape:
    """Without None: botocore's shapes have no nulls."""
    return {name: value for name, value in shape.items() if value is not None}
