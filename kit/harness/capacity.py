"""Watches and pins a service's task count."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from ..core.eventually import NotYet
from ..system.facts import Service
from .background import background
from .context import Context
from .services import Services

_SAMPLED_EVERY = 5.0
"""AWS seconds."""


@dataclass(frozen=True)
class Bounds:
    """The fewest and the most tasks to which scaling sets a service."""

    lowest: int
    highest: int


@dataclass(frozen=True)
class Sample:
    """A service's counts at one moment, from DescribeServices."""

    desired: int
    running: int
    pending: int

    def __str__(self) -> str:
        return f"desired {self.desired}, running {self.running}, pending {self.pending}"


@dataclass
class CountHistory:
    """The counts of a service over time, one sample for each change."""

    samples: list[Sample] = field(default_factory=list)
    looks: int = 0
    """Number of times the counts were read."""
    longest_gap: float = 0.0
    """The longest time between two looks, AWS seconds."""
    _last: float | None = None

    @property
    def is_gapless(self) -> bool:
        """Whether the counts were read as often as they should be."""
        return self.looks >= 2 and self.longest_gap < 3 * _SAMPLED_EVERY

    def note(self, sample: Sample, at: float) -> None:
        """Add what was seen at an AWS time."""
        self.looks += 1
        self.longest_gap = max(self.longest_gap, at - (at if self._last is None else self._last))
        self._last = at
        if not self.samples or self.samples[-1] != sample:
            self.samples.append(sample)


class PinnedService:
    """A service whose desired count the scenario sets."""

    def __init__(self, context: Context, services: Services, service: Service) -> None:
        self._context = context
        self._services = services
        self._service = service

    async def set_desired(self, count: int) -> None:
        """Set the desired count; does not wait."""
        stack, name = self._context.cloud.stack, self._context.system.service_name(self._service)
        await self._context.cloud.aws.call(
            "ecs", "update_service", cluster=stack.cluster_name, service=name, desiredCount=count
        )

    async def wait_for_healthy(self, count: int, *, within: float) -> list[str]:
        """Wait for exactly `count` tasks, each RUNNING and a healthy target; returns their ARNs."""
        __tracebackhide__ = True

        async def look() -> list[str]:
            tasks = await self._services.tasks(self._service)
            running = [task["taskArn"] for task in tasks if task["lastStatus"] == "RUNNING"]
            states = sorted(target.state for target in await self._services.targets(self._service))
            if len(tasks) != count or len(running) != count or states != ["healthy"] * count:
                raise NotYet(f"{len(running)} of {len(tasks)} task(s) RUNNING, targets: {', '.join(states) or 'none'}")
            return running

        return await self._context.eventually(
            look,
            until=lambda _: True,
            within=within,
            describe=f"service {self._service} to have exactly {count} task(s), each a healthy target",
        )


class Capacity:
    """Reads the limits of scaling and follows the task count."""

    def __init__(self, context: Context, services: Services) -> None:
        self._context = context
        self._services = services

    async def bounds(self, service: Service) -> Bounds:
        """The limits of the service's scalable target. Raises LookupError when it has none."""
        resource = f"service/{self._context.cloud.stack.cluster_name}/{self._context.system.service_name(service)}"
        answer = await self._context.cloud.aws.call(
            "application-autoscaling", "describe_scalable_targets", ServiceNamespace="ecs", ResourceIds=[resource]
        )
        for target in answer["ScalableTargets"]:
            return Bounds(target["MinCapacity"], target["MaxCapacity"])
        raise LookupError(f"no scalable target for {resource}")

    async def sample(self, service: Service) -> Sample:
        """The service's counts now."""
        described = await self._services.describe(service)
        return Sample(described["desiredCount"], described["runningCount"], described["pendingCount"])

    @asynccontextmanager
    async def pinned(self, service: Service) -> AsyncIterator[PinnedService]:
        """Let the scenario set the task count inside the block; scaling is suspended meanwhile."""
        async with self._services.scaling_suspended(service):
            yield PinnedService(self._context, self._services, service)

    @asynccontextmanager
    async def watch(self, service: Service) -> AsyncIterator[CountHistory]:
        """Record the service's counts throughout the block and once at its end.

        Raises an error of the recording when the block ends: the history would have a gap.
        """
        watched = CountHistory()
        watched.note(await self.sample(service), self._context.clock.now())

        async def sample() -> None:
            while True:
                await self._context.clock.sleep(_SAMPLED_EVERY, background=True)
                watched.note(await self.sample(service), self._context.clock.now())

        async with background(sample(), f"watching {service}") as sampling:
            yield watched
            watched.note(await self.sample(service), self._context.clock.now())
        if not sampling.cancelled():
            sampling.result()

    async def wait_for_running(self, service: Service, count: int, *, within: float) -> Sample:
        """Wait until scaling has brought up `count` RUNNING tasks; `within` is AWS seconds."""
        __tracebackhide__ = True
        return await self._context.eventually(
            lambda: self.sample(service),
            until=lambda sample: sample.running == count,
            within=within,
            describe=f"service {service} to be scaled to {count} running task(s)",
            next="see the alarms, and the metrics they look at: kit status",
        )
