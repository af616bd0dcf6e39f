"""Creates tasks: ids, network interface, availability zone, capacity provider, tags."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.ids import Ids
from ...time.clock import Clock
from .model import Attachment, Cluster, Container, Deployment, Service, ServiceRevision, Task
from .names import Names


@dataclass(frozen=True)
class LaunchRequest:
    """A task to start."""

    cluster: Cluster
    revision: ServiceRevision
    group: str
    started_by: str | None = None
    execute_command: bool = False
    overrides: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    service: Service | None = None
    deployment: Deployment | None = None


def new_task(clock: Clock, ids: Ids, names: Names, request: LaunchRequest, siblings: Sequence[Task]) -> Task:
    """A task in PROVISIONING, in the zone with the fewest of its siblings."""
    cluster, revision = request.cluster, request.revision
    task_id = ids.hex(32)
    zones = Counter(task.zone for task in siblings)
    subnet, zone = min(revision.zones, key=lambda each: zones[each[1]], default=("", f"{names.region}a"))
    overrides = {each["name"]: each for each in request.overrides.get("containerOverrides", ())}
    return Task(
        id=task_id,
        arn=names.arn(f"task/{cluster.name}/{task_id}"),
        cluster=cluster,
        definition=revision.definition,
        group=request.group,
        started_by=request.started_by,
        launch_type=revision.launch_type or "FARGATE",
        capacity_provider=_provider(revision, len(siblings)),
        platform_version=revision.platform_version,
        enable_execute_command=request.execute_command,
        zone=zone,
        attachment=_interface(ids, subnet) if revision.network else None,
        network=revision.network,
        overrides={
            **request.overrides,
            "containerOverrides": [overrides.get(c.name, {"name": c.name}) for c in revision.definition.containers],
        },
        containers=[
            Container(
                definition=each,
                arn=names.arn(f"container/{cluster.name}/{task_id}/{ids.uuid()}"),
                image=each.image,
                runtime_id=f"{task_id}-{int(ids.hex(8), 16):010d}",
            )
            for each in revision.definition.containers
        ],
        created_at=clock.now(),
        load_balancers=revision.load_balancers,
        service=request.service,
        deployment=request.deployment,
        tags=_tags(request),
    )


def _provider(revision: ServiceRevision, started: int) -> str | None:
    """The capacity provider of the next task after `started` ones."""
    providers = revision.capacity_providers
    base = next((each for each in providers if each.get("base", 0) > started), None)
    if base is not None or not providers:
        return base["capacityProvider"] if base else None
    weights = [each["capacityProvider"] for each in providers for _ in range(each.get("weight", 0))]
    return str(weights[started % len(weights)]) if weights else str(providers[0]["capacityProvider"])


def _interface(ids: Ids, subnet: str) -> Attachment:
    octets = ids.hex(10)
    mac = ":".join(["02", *(octets[at : at + 2] for at in range(0, 10, 2))])
    return Attachment(ids.uuid(), f"eni-{ids.hex()}", subnet, mac)


def _tags(request: LaunchRequest) -> dict[str, str]:
    tags = dict(request.tags)
    if request.service is None:
        return tags
    propagated = request.service.settings.get("propagateTags")
    if propagated == "SERVICE":
        tags |= request.service.tags
    elif propagated == "TASK_DEFINITION":
        tags |= request.revision.definition.tags
    if request.service.settings.get("enableECSManagedTags"):
        tags |= {"aws:ecs:clusterName": request.cluster.name, "aws:ecs:serviceName": request.service.name}
    return tags
