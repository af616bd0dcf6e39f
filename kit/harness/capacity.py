"""How many tasks a service may have, had meanwhile, and is held at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from ..core.eventually import NotYet
from ..system.facts import Service
from .context import Context
from .services import Services

_SAMPLED_EVERY = 5.0
"""AWS seconds."""


@dataclass(frozen=True)
class Bounds:
    """Between how many tasks scaling moves a service."""

    lowest: int
    highest: int


@dataclass(frozen=True)
class Sample:
    """A service's counts at one moment, as DescribeServices tells them."""

    desired: int
    running: int
    pending: int

    def __str__(self) -> str:
        return f"desired {self.desired}, running {self.running}, pending {self.pending}"


@dataclass
class Watched:
    """The counts of a service over a while, each change once."""

    samples: list[Sample] = field(default_factory=list)
    looks: int = 0
    """How often it was looked at."""

    def note(self, sample: Sample) -> None:
        self.looks += 1
        if not self.samples or self.samples[-1] != sample:
            self.samples.append(sample)


class Held:
    """A service that has as many tasks as it is told."""

    def __init__(self, context: Context, services: Services, service: Service) -> None:
        self._context = context
        self._services = services
        self._service = service

    async def ask_for(self, count: int) -> None:
        """Set the desired count; does not wait."""
        stack, name = self._context.cloud.stack, self._context.system.service_name(self._service)
        await self._context.cloud.aws.call(
            "ecs", "update_service", cluster=stack.cluster_name, service=name, desiredCount=count
        )

    async def wait_for_healthy(self, count: int, *, within: float) -> list[str]:
        """Wait for exactly so many tasks, each of them RUNNING and a healthy target; returns their ARNs."""
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
    """Looks at the limits of scaling, and at what became of them."""

    def __init__(self, context: Context, services: Services) -> None:
        self._context = context
        self._services = services

    async def bounds(self, service: Service) -> Bounds:
        """What the service's scalable target says. Raises LookupError when it has none."""
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
    async def held(self, service: Service) -> AsyncIterator[Held]:
        """A service's number of tasks in the scenario's hand; its scaling is suspended until the end of the block."""
        async with self._services.scaling_suspended(service):
            yield Held(self._context, self._services, service)

    @asynccontextmanager
    async def watched(self, service: Service) -> AsyncIterator[Watched]:
        """Note the service's counts all the time inside the block, once more at its end; nothing is judged here.

        Raises at the end of the block what a look met: counts that nobody saw are not known.
        """
        watched = Watched()
        watched.note(await self.sample(service))

        async def watch() -> None:
            while True:
                await self._context.clock.sleep(_SAMPLED_EVERY)
                watched.note(await self.sample(service))

        watching = asyncio.create_task(watch(), name=f"watching {service}")
        try:
            yield watched
            watched.note(await self.sample(service))
        finally:
            watching.cancel()
            await asyncio.wait({watching})
        if not watching.cancelled():
            watching.result()

    async def wait_for_running(self, service: Service, count: int, *, within: float) -> Sample:
        """Wait until scaling has brought up so many tasks, all RUNNING; `within` is AWS seconds."""
        __tracebackhide__ = True
        return await self._context.eventually(
            lambda: self.sample(service),
            until=lambda sample: sample.running == count,
            within=within,
            describe=f"service {service} to be scaled to {count} running task(s)",
            next="see the alarms, and the metrics they look at: kit status",
        )
