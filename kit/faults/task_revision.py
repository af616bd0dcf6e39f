"""Deploys a changed revision of a service's task definition, and the original one to undo it.

    DescribeTaskDefinition --> (changed) --> RegisterTaskDefinition --> book --> UpdateService
                                                                        \\--> UpdateService as before, Deregister

Works in every cloud. Running tasks are replaced according to the service's deployment configuration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..aws.undo import DEADLINE, UndoCall, UndoRecord
from ..backends.capability import FAULT_START
from ..core.errors import UsageError
from ..system.facts import SERVICES
from .context import FaultContext
from .effects import RecordedEffect
from .fault import Effect, Observation, Visibility

_REGISTERED = (
    *("family", "taskRoleArn", "executionRoleArn", "networkMode", "containerDefinitions", "volumes", "cpu", "memory"),
    *("placementConstraints", "requiresCompatibilities", "pidMode", "ipcMode", "proxyConfiguration"),
    *("ephemeralStorage", "runtimePlatform", "enableFaultInjection"),
)
"""The attributes that DescribeTaskDefinition and RegisterTaskDefinition share."""
_GONE = ("ServiceNotFoundException", "ServiceNotActiveException", "ClusterNotFoundException")
_STARTED_AT_MOST = 10
"""The latest tasks, which are judged."""

Change = Callable[[dict[str, Any]], None]
"""Changes the arguments of RegisterTaskDefinition."""
Judge = Callable[[Mapping[str, Any]], str | None]
"""How a task of the revision shows the fault, in words; None when it does not."""


@dataclass(frozen=True)
class TaskRevision(RecordedEffect):
    """The effect of a changed task definition."""

    cluster: str
    service: str
    revision: str
    """Its ARN."""
    judge: Judge

    @classmethod
    async def inject(cls, context: FaultContext, which: str, change: Change, judge: Judge) -> TaskRevision:
        """`which` is hermes or edit. Raises `UsageError`."""
        if which not in SERVICES:
            raise UsageError(f"there is no service {which!r}", next=f"there are {', '.join(SERVICES)}")
        cluster, service = context.system.stack.cluster_name, context.system.service_name(which)
        found = (await context.aws.call("ecs", "describe_services", cluster=cluster, services=[service]))["services"]
        if not found or found[0]["status"] != "ACTIVE":
            raise UsageError(f"there is no active service {service} in cluster {cluster}")
        before = found[0]["taskDefinition"]
        revision = await _register(context, before, change)
        calls = [
            UndoCall("ecs", "update_service", _deploy(cluster, service, before), gone=_GONE),
            UndoCall("ecs", "deregister_task_definition", {"taskDefinition": revision}),
        ]
        until = context.clock.now() + DEADLINE
        undo_record = UndoRecord.begin(context.undo_book, f"revision {revision}", calls, until=until, id=revision)
        effect = cls(context, undo_record, cluster, service, revision, judge)
        try:
            await context.aws.call("ecs", "update_service", **_deploy(cluster, service, revision))
        except BaseException:
            await effect.undo()
            raise
        return effect

    async def verify(self) -> Observation:
        tasks = await self._tasks()
        affected = [word for task in tasks if (word := self.judge(task)) is not None]
        share = f"{len(affected)} of the last {len(tasks)} task(s) of {self.service}"
        return Observation(
            bool(affected), f"{share}: {affected[0]}" if affected else f"{share} show it; {await self._last_event()}"
        )

    async def _tasks(self) -> list[dict[str, Any]]:
        """The revision's tasks, stopped ones included."""
        arns: list[str] = []
        for status in ("RUNNING", "STOPPED"):
            where = {"cluster": self.cluster, "serviceName": self.service, "desiredStatus": status}
            arns += (await self.context.aws.call("ecs", "list_tasks", **where))["taskArns"]
        if not arns:
            return []
        answer = await self.context.aws.call("ecs", "describe_tasks", cluster=self.cluster, tasks=arns[-100:])
        ours = [task for task in answer["tasks"] if task["taskDefinitionArn"] == self.revision]
        return sorted(ours, key=lambda task: task["createdAt"], reverse=True)[:_STARTED_AT_MOST]

    async def _last_event(self) -> str:
        answer = await self.context.aws.call("ecs", "describe_services", cluster=self.cluster, services=[self.service])
        events = answer["services"][0]["events"] if answer["services"] else ()
        return str(events[0]["message"]) if events else "the service has no events"


async def _register(context: FaultContext, original: str, change: Change) -> str:
    """Register a changed copy of a task definition; returns its ARN."""
    described = await context.aws.call("ecs", "describe_task_definition", taskDefinition=original, include=["TAGS"])
    definition = described["taskDefinition"]
    wanted = {name: definition[name] for name in _REGISTERED if name in definition}
    change(wanted)
    tags = {tag["key"]: tag["value"] for tag in described.get("tags", ())} | dict(context.tags)
    listed = [{"key": key, "value": value} for key, value in tags.items() if not key.startswith("aws:")]
    registered = await context.aws.call(
        "ecs", "register_task_definition", **wanted, **({"tags": listed} if listed else {})
    )
    return str(registered["taskDefinition"]["taskDefinitionArn"])


def _deploy(cluster: str, service: str, definition: str) -> dict[str, Any]:
    return {"cluster": cluster, "service": service, "taskDefinition": definition}


def main_container(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The first essential container."""
    containers: list[dict[str, Any]] = wanted["containerDefinitions"]
    return next(each for each in containers if each.get("essential", True))


@dataclass(frozen=True)
class ServiceFault:
    """A fault of all tasks that a service starts, by a change of its task definition."""

    service: str
    """hermes or edit."""

    needs: ClassVar[tuple[str, ...]] = (FAULT_START,)
    visibility: ClassVar[Visibility] = Visibility.BY_USE
    within: ClassVar[float] = 240.0

    @property
    def target(self) -> str:
        return self.service

    async def inject(self, context: FaultContext) -> Effect:
        return await TaskRevision.inject(
            context, self.service, lambda wanted: self._change(wanted, context), self._judge
        )

    def _change(self, wanted: dict[str, Any], context: FaultContext) -> None:
        """Change the arguments of RegisterTaskDefinition."""
        raise NotImplementedError

    def _judge(self, task: Mapping[str, Any]) -> str | None:
        """How a task shows the fault, in words; None when it does not."""
        raise NotImplementedError
