"""A service gets another revision of its task definition, and its own back.

    DescribeTaskDefinition --> (changed) --> RegisterTaskDefinition --> book --> UpdateService
                                                                        \\--> UpdateService as before, Deregister

Means that every cloud has. The tasks that run meanwhile are replaced as the service's deployment configuration says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..aws.undo import DEADLINE, UndoCall, UndoRecord
from ..core.errors import UsageError
from ..system.facts import SERVICES
from .context import FaultContext
from .fault import Observation

_REGISTERED = (
    *("family", "taskRoleArn", "executionRoleArn", "networkMode", "containerDefinitions", "volumes", "cpu", "memory"),
    *("placementConstraints", "requiresCompatibilities", "pidMode", "ipcMode", "proxyConfiguration"),
    *("ephemeralStorage", "runtimePlatform", "enableFaultInjection"),
)
"""What RegisterTaskDefinition takes of what DescribeTaskDefinition tells."""
_GONE = ("ServiceNotFoundException", "ServiceNotActiveException", "ClusterNotFoundException")
_STARTED_AT_MOST = 10
"""Tasks looked at; the latest ones."""

Judge = Callable[[Mapping[str, Any]], str | None]
"""What a task of the revision shows of the fault, in words; None for nothing."""


@dataclass
class TaskRevision:
    """The effect."""

    context: FaultContext
    cluster: str
    service: str
    revision: str
    """Its ARN."""
    undo_record: UndoRecord
    judge: Judge
    _undone: bool = field(default=False, init=False)

    @classmethod
    async def inject(
        cls, context: FaultContext, which: str, change: Callable[[dict[str, Any]], None], judge: Judge
    ) -> TaskRevision:
        """`which` is hermes or edit; `change` changes what will be registered. Raises `UsageError`."""
        if which not in SERVICES:
            raise UsageError(f"there is no service {which!r}", next=f"there are {', '.join(SERVICES)}")
        cluster, service = context.system.stack.cluster_name, context.system.service_name(which)
        found = (await context.aws.call("ecs", "describe_services", cluster=cluster, services=[service]))["services"]
        if not found or found[0]["status"] != "ACTIVE":
            raise UsageError(f"there is no active service {service} in cluster {cluster}")
        before = found[0]["taskDefinition"]
        told = await context.aws.call("ecs", "describe_task_definition", taskDefinition=before, include=["TAGS"])
        wanted = {name: told["taskDefinition"][name] for name in _REGISTERED if name in told["taskDefinition"]}
        change(wanted)
        tags = [*told.get("tags", ()), *({"key": key, "value": value} for key, value in context.tags.items())]
        once = {tag["key"]: tag for tag in tags if not tag["key"].startswith("aws:")}
        registered = await context.aws.call(
            "ecs", "register_task_definition", **wanted, **({"tags": list(once.values())} if once else {})
        )
        revision = registered["taskDefinition"]["taskDefinitionArn"]
        calls = [
            UndoCall("ecs", "update_service", _deploy(cluster, service, before), gone=_GONE),
            UndoCall("ecs", "deregister_task_definition", {"taskDefinition": revision}),
        ]
        until = context.clock.now() + DEADLINE
        undo_record = UndoRecord.begin(context.undo_book, f"revision {revision}", calls, until=until, id=revision)
        effect = cls(context, cluster, service, revision, undo_record, judge)
        try:
            await context.aws.call("ecs", "update_service", **_deploy(cluster, service, revision))
        except BaseException:
            await effect.undo()
            raise
        return effect

    async def verify(self) -> Observation:
        tasks = await self._tasks()
        shown = [word for task in tasks if (word := self.judge(task)) is not None]
        said = f"{len(shown)} of the last {len(tasks)} task(s) of {self.service}"
        return Observation(
            bool(shown), f"{said}: {shown[0]}" if shown else f"{said} show it; {await self._last_event()}"
        )

    async def undo(self) -> None:
        if not self._undone:
            await self.undo_record.undo(self.context.aws, self.context.clock)
            self._undone = True

    async def counts(self) -> Mapping[str, int]:
        return {}

    async def _tasks(self) -> list[dict[str, Any]]:
        """Those of the revision, stopped ones included."""
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
        return str(events[0]["message"]) if events else "the service says nothing"


def _deploy(cluster: str, service: str, definition: str) -> dict[str, Any]:
    return {"cluster": cluster, "service": service, "taskDefinition": definition}


def main_container(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The container that is the task's own: its first essential one."""
    containers: list[dict[str, Any]] = wanted["containerDefinitions"]
    return next(each for each in containers if each.get("essential", True))
