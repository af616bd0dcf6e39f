"""ECS services, their tasks and targets. A task count is one on which three operations agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from ..aws.undo import DEADLINE, UndoCall, UndoRecord
from ..core.eventually import NotYet
from ..system.facts import SERVICES, Service
from .context import Context

_SCALING = ("application-autoscaling", "register_scalable_target")
_DESCRIBE_AT_ONCE = 100
"""Tasks per call of DescribeTasks, at most."""
_AGREE_WITHIN = 60.0
"""AWS seconds for DescribeServices and ListTasks to agree: one may lag behind the other."""


@dataclass(frozen=True)
class TaskCount:
    """A service's tasks at one moment, as DescribeServices, ListTasks and DescribeTasks agree on it."""

    service: str
    desired: int
    running: int
    pending: int
    statuses: tuple[str, ...]
    """`lastStatus` of every task that is not STOPPED, stopping ones included."""

    @property
    def nothing_left(self) -> bool:
        """Whether no task is desired and none exists in any state but STOPPED."""
        return not (self.desired or self.running or self.pending or self.statuses)

    def __str__(self) -> str:
        states = ", ".join(f"{number} {status}" for status, number in sorted(Counter(self.statuses).items()))
        counts = f"desired {self.desired}, running {self.running}, pending {self.pending}"
        return f"{self.service}: {counts} ({states or 'no task'})"


@dataclass(frozen=True)
class Target:
    """A registered target, from DescribeTargetHealth."""

    id: str
    port: int
    state: str
    reason: str

    def __str__(self) -> str:
        return f"{self.id}:{self.port} {self.state}{f' ({self.reason})' if self.reason else ''}"


class Services:
    """Reads and scales the services of the stack."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._aws = context.cloud.aws

    @property
    def _cluster(self) -> str:
        return self._context.cloud.stack.cluster_name

    async def count(self, service: Service) -> TaskCount:
        """The tasks of a service, once the three operations agree. Raises `WaitExpired` when they never do."""
        __tracebackhide__ = True

        async def agreed() -> TaskCount:
            count, tasks = await self._count_now(service)
            if not _agree(count, tasks):
                raise NotYet(f"{count}: DescribeServices and DescribeTasks disagree")
            return count

        return await self._context.eventually(
            agreed,
            within=_AGREE_WITHIN,
            describe=f"DescribeServices, ListTasks and DescribeTasks to agree about service {service}",
            counts=False,
        )

    async def describe(self, service: Service) -> dict[str, Any]:
        """DescribeServices for one service. Raises LookupError when ECS does not know it."""
        return (await self._described(service))[0]

    async def _described(self, *services: Service) -> list[dict[str, Any]]:
        """In this order."""
        names = [self._context.system.service_name(service) for service in services]
        answer = await self._aws.call("ecs", "describe_services", cluster=self._cluster, services=names)
        found = {each["serviceName"]: each for each in answer["services"]}
        if lacking := [name for name in names if name not in found]:
            raise LookupError(f"ECS does not know service {lacking[0]}: {answer.get('failures')}")
        return [found[name] for name in names]

    async def tasks(self, service: Service | None = None, *, stopped: bool = False) -> list[dict[str, Any]]:
        """The tasks of a service, or of the whole cluster: those not STOPPED, or only those STOPPED."""
        which = {} if service is None else {"serviceName": self._context.system.service_name(service)}
        # A stopping task has the desired status STOPPED long before its last status says so.
        listed: list[str] = []
        for desired in ("RUNNING", "STOPPED"):
            listed += await self._aws.pages(
                "ecs", "list_tasks", "taskArns", cluster=self._cluster, desiredStatus=desired, **which
            )
        described: list[dict[str, Any]] = []
        for chunk in _chunks(list(dict.fromkeys(listed))):
            answer = await self._aws.call("ecs", "describe_tasks", cluster=self._cluster, tasks=chunk)
            described += answer["tasks"]
        return [task for task in described if (task["lastStatus"] == "STOPPED") == stopped]

    async def running(self, service: Service) -> list[dict[str, Any]]:
        """The tasks of a service whose last status is RUNNING."""
        return [task for task in await self.tasks(service) if task["lastStatus"] == "RUNNING"]

    async def grace_left(self, service: Service) -> float:
        """AWS seconds for which ECS still ignores failed health checks of a running task of the service."""
        grace = (await self.describe(service)).get("healthCheckGracePeriodSeconds", 0)
        started = [task["startedAt"].timestamp() for task in await self.running(service)]
        return max(0.0, max(started, default=0.0) + float(grace) - self._context.clock.now())

    async def targets(self, service: Service) -> list[Target]:
        """The targets registered for a service, with their health."""
        answer = await self._aws.call(
            "elbv2", "describe_target_health", TargetGroupArn=self._context.system.target_group_arn(service)
        )
        return [
            Target(
                entry["Target"]["Id"],
                entry["Target"].get("Port", 0),
                entry["TargetHealth"]["State"],
                entry["TargetHealth"].get("Reason", ""),
            )
            for entry in answer["TargetHealthDescriptions"]
        ]

    async def wait_for_zero(self, services: Iterable[Service] = SERVICES, *, within: float) -> None:
        """Wait until the services desire no task and have none in any state, without a request to them."""
        __tracebackhide__ = True
        wanted = tuple(services)

        async def look() -> list[TaskCount]:
            described = dict(zip(wanted, await self._described(*wanted), strict=True))
            counts = [_counted(service, found) for service, found in described.items()]
            if not all(count.nothing_left for count in counts):  # so their tasks need not be listed
                return counts
            tasks = await self.tasks()
            return [
                _counted(service, found, [task for task in tasks if task["group"] == f"service:{found['serviceName']}"])
                for service, found in described.items()
            ]

        await self._context.eventually(
            look,
            until=lambda counts: all(count.nothing_left for count in counts),
            within=within,
            every=4.0,
            describe=f"{' and '.join(wanted)} to be at zero tasks, none in any state",
            next="see the alarms and scaling activities: kit status",
        )

    async def wait_for_stable(self, service: Service, *, within: float) -> dict[str, Any]:
        """Wait until a service runs its desired count, with one finished deployment; returns its description."""
        __tracebackhide__ = True

        async def look() -> dict[str, Any]:
            described = await self.describe(service)
            deployments = described["deployments"]
            if (
                len(deployments) != 1
                or described["pendingCount"] != 0
                or described["runningCount"] != described["desiredCount"]
            ):
                raise NotYet(
                    f"desired {described['desiredCount']}, running {described['runningCount']}, pending "
                    f"{described['pendingCount']}, {len(deployments)} deployment(s)"
                )
            return described

        return await self._context.eventually(look, within=within, describe=f"service {service} to be stable")

    async def force_scale_down(self, service: Service, to: int = 0, *, within: float) -> None:
        """Set the desired count and wait for it. The service's scaling is suspended meanwhile."""
        __tracebackhide__ = True
        name = self._context.system.service_name(service)
        async with self.scaling_suspended(service):
            await self._aws.call("ecs", "update_service", cluster=self._cluster, service=name, desiredCount=to)

            async def look() -> TaskCount:
                return (await self._count_now(service))[0]

            await self._context.eventually(
                look,
                until=lambda count: count.desired == to and len(count.statuses) == to,
                within=within,
                describe=f"service {service} to have {to} tasks, its new desired count",
            )

    @asynccontextmanager
    async def scaling_suspended(self, service: Service) -> AsyncIterator[None]:
        """Suspend the service's scaling policies inside the block.

        If the run is killed in it, its clean-up resumes them: otherwise a stack that is kept would never scale again.
        """
        resume = UndoCall(*_SCALING, self._scaling(service, suspended=False), gone=("ObjectNotFoundException",))
        clock, name = self._context.clock, f"scaling of {service} suspended"
        page = UndoRecord.begin(self._context.cloud.undo_book, name, [resume], until=clock.now() + DEADLINE)
        try:
            await self._aws.call(*_SCALING, **self._scaling(service, suspended=True))
            yield
        finally:
            await page.undo(self._aws, clock)

    async def _count_now(self, service: Service) -> tuple[TaskCount, list[dict[str, Any]]]:
        """The counts of DescribeServices with the statuses of DescribeTasks, and the tasks."""
        described, tasks = await self.describe(service), await self.tasks(service)
        return _counted(service, described, tasks), tasks

    def _scaling(self, service: Service, *, suspended: bool) -> dict[str, Any]:
        return {
            "ServiceNamespace": "ecs",
            "ScalableDimension": "ecs:service:DesiredCount",
            "ResourceId": f"service/{self._cluster}/{self._context.system.service_name(service)}",
            "SuspendedState": {"DynamicScalingInSuspended": suspended, "DynamicScalingOutSuspended": suspended},
        }


def _counted(service: Service, described: Mapping[str, Any], tasks: Iterable[Mapping[str, Any]] = ()) -> TaskCount:
    counts = (described["desiredCount"], described["runningCount"], described["pendingCount"])
    return TaskCount(service, *counts, tuple(sorted(task["lastStatus"] for task in tasks)))


def _agree(count: TaskCount, tasks: Iterable[Mapping[str, Any]]) -> bool:
    staying = [task["lastStatus"] for task in tasks if task["desiredStatus"] == "RUNNING"]
    running = staying.count("RUNNING")
    leaving = len(count.statuses) - len(staying)
    return running <= count.running <= running + leaving and count.pending == len(staying) - running


def _chunks(arns: list[str]) -> Iterable[list[str]]:
    return (arns[start : start + _DESCRIBE_AT_ONCE] for start in range(0, len(arns), _DESCRIBE_AT_ONCE))
