"""ECS services and their tasks, counted exactly: three operations must tell the same story."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from ..aws.undo import DEADLINE, Page, UndoCall
from ..core.eventually import NotYet
from ..system.facts import SERVICES, Service
from .context import Context
from .together import together

_SCALING = ("application-autoscaling", "register_scalable_target")
_DESCRIBE_AT_ONCE = 100
"""Tasks DescribeTasks takes in one call."""
_AGREE_WITHIN = 60.0
"""AWS seconds for DescribeServices and ListTasks to agree: their answers may lag behind each other."""


@dataclass(frozen=True)
class TaskCount:
    """A service's tasks at one moment, as DescribeServices, ListTasks and DescribeTasks agree on it."""

    service: str
    desired: int
    running: int
    pending: int
    statuses: tuple[str, ...]
    """`lastStatus` of every task that is not STOPPED, those on their way out included."""

    @property
    def nothing_left(self) -> bool:
        """Zero wanted, zero there, in whatever state."""
        return not (self.desired or self.running or self.pending or self.statuses)

    def __str__(self) -> str:
        states = ", ".join(f"{number} {status}" for status, number in sorted(Counter(self.statuses).items()))
        counts = f"desired {self.desired}, running {self.running}, pending {self.pending}"
        return f"{self.service}: {counts} ({states or 'no task'})"


@dataclass(frozen=True)
class Target:
    """One registered target as DescribeTargetHealth tells it."""

    id: str
    port: int
    state: str
    reason: str

    def __str__(self) -> str:
        return f"{self.id}:{self.port} {self.state}{f' ({self.reason})' if self.reason else ''}"


class Services:
    """Looks at services and moves them; never at any other than the stack's own."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._aws = context.cloud.aws

    @property
    def _cluster(self) -> str:
        return self._context.cloud.stack.cluster_name

    async def count(self, service: Service) -> TaskCount:
        """The tasks of a service. Waits for the three operations to agree; raises `WaitExpired` when they never do."""
        __tracebackhide__ = True

        async def agreed() -> TaskCount:
            described, tasks = await self._told(service)
            count = TaskCount(
                service=service,
                desired=described["desiredCount"],
                running=described["runningCount"],
                pending=described["pendingCount"],
                statuses=tuple(sorted(task["lastStatus"] for task in tasks)),
            )
            if not _agree(count, tasks):
                raise NotYet(f"{count}: DescribeServices and DescribeTasks disagree")
            return count

        return await self._context.eventually(
            agreed,
            until=lambda _: True,
            within=_AGREE_WITHIN,
            describe=f"DescribeServices, ListTasks and DescribeTasks to agree about service {service}",
            counts=False,
        )

    async def describe(self, service: Service) -> dict[str, Any]:
        """DescribeServices for one service. Raises LookupError when ECS does not know it."""
        name = self._context.system.service_name(service)
        answer = await self._aws.call("ecs", "describe_services", cluster=self._cluster, services=[name])
        if answer.get("failures") or not answer["services"]:
            raise LookupError(f"ECS does not know service {name}: {answer.get('failures')}")
        found: dict[str, Any] = answer["services"][0]
        return found

    async def tasks(self, service: Service | None = None, *, stopped: bool = False) -> list[dict[str, Any]]:
        """DescribeTasks of a service's tasks, or of the whole cluster's: those not STOPPED, or only those STOPPED."""
        which = {} if service is None else {"serviceName": self._context.system.service_name(service)}
        # A task on its way out has the desired status STOPPED long before its last status says so.
        listed = await together(
            self._aws.pages("ecs", "list_tasks", "taskArns", cluster=self._cluster, desiredStatus=desired, **which)
            for desired in ("RUNNING", "STOPPED")
        )
        described: list[dict[str, Any]] = []
        for chunk in _chunks(list(dict.fromkeys(arn for arns in listed for arn in arns))):
            answer = await self._aws.call("ecs", "describe_tasks", cluster=self._cluster, tasks=chunk)
            described += answer["tasks"]
        return [task for task in described if (task["lastStatus"] == "STOPPED") == stopped]

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
        """Wait until the services want no task and have none in any state. Makes no request to them."""
        __tracebackhide__ = True
        wanted = tuple(services)

        async def look() -> list[TaskCount]:
            return await together(self._look(service) for service in wanted)

        await self._context.eventually(
            look,
            until=lambda counts: all(count.nothing_left for count in counts),
            within=within,
            every=4.0,
            describe=f"{' and '.join(wanted)} to be at zero tasks, none in any state",
            next="see the alarms and scaling activities: kit status",
        )

    async def wait_for_stable(self, service: Service, *, within: float) -> dict[str, Any]:
        """Wait until a service runs what it wants, by one finished deployment; returns its description."""
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
        """Set the desired count and wait until it is so.

        Scaling of this one service is suspended meanwhile, or its policies would work against it.
        """
        __tracebackhide__ = True
        name = self._context.system.service_name(service)
        async with self.scaling_suspended(service):
            await self._aws.call("ecs", "update_service", cluster=self._cluster, service=name, desiredCount=to)

            async def look() -> TaskCount:
                return await self._look(service)

            await self._context.eventually(
                look,
                until=lambda count: count.desired == to and len(count.statuses) == to,
                within=within,
                describe=f"service {service} to have {to} tasks after it was told so",
            )

    @asynccontextmanager
    async def scaling_suspended(self, service: Service) -> AsyncIterator[None]:
        """The service's scaling policies do not act inside the block. Should the run die in it, whoever cleans up after
        it lets them act again: a stack that stays would never scale any more."""
        resume = UndoCall(*_SCALING, self._scaling(service, suspended=False), gone=("ObjectNotFoundException",))
        clock, name = self._context.clock, f"scaling of {service} suspended"
        page = Page.begin(self._context.cloud.ledger, name, [resume], until=clock.now() + DEADLINE)
        try:
            await self._aws.call(*_SCALING, **self._scaling(service, suspended=True))
            yield
        finally:
            await page.undo(self._aws, clock)

    async def _told(self, service: Service) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """What DescribeServices says of a service, and ListTasks with DescribeTasks of its tasks."""
        described = asyncio.ensure_future(self.describe(service))
        tasks = asyncio.ensure_future(self.tasks(service))
        await together([described, tasks])
        return described.result(), tasks.result()

    async def _look(self, service: Service) -> TaskCount:
        described, tasks = await self._told(service)
        return TaskCount(
            service,
            described["desiredCount"],
            described["runningCount"],
            described["pendingCount"],
            tuple(sorted(task["lastStatus"] for task in tasks)),
        )

    def _scaling(self, service: Service, *, suspended: bool) -> dict[str, Any]:
        return {
            "ServiceNamespace": "ecs",
            "ScalableDimension": "ecs:service:DesiredCount",
            "ResourceId": f"service/{self._cluster}/{self._context.system.service_name(service)}",
            "SuspendedState": {"DynamicScalingInSuspended": suspended, "DynamicScalingOutSuspended": suspended},
        }


def _agree(count: TaskCount, tasks: Iterable[Mapping[str, Any]]) -> bool:
    staying = [task["lastStatus"] for task in tasks if task["desiredStatus"] == "RUNNING"]
    running = staying.count("RUNNING")
    leaving = len(count.statuses) - len(staying)
    return running <= count.running <= running + leaving and count.pending == len(staying) - running


def _chunks(arns: list[str]) -> Iterable[list[str]]:
    return (arns[start : start + _DESCRIBE_AT_ONCE] for start in range(0, len(arns), _DESCRIBE_AT_ONCE))
