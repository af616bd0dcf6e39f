"""How many tasks a service may have, had meanwhile, and is held at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from kit.harness.context import Context
from kit.harness.services import Services
from kit.system import Service

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

    def note(self, sample: Sample) -> None:
        if not self.samples or self.samples[-1] != sample:
            self.samples.append(sample)


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
    async def watched(self, service: Service) -> AsyncIterator[Watched]:
        """Note the service's counts all the time inside the block, once more at its end; nothing is judged here."""
        watched = Watched([await self.sample(service)])

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
            await asyncio.gather(watching, return_exceptions=True)
