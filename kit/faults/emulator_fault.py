"""Faults that the emulated cloud causes and counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ..backends.capability import FAULT_API
from ..backends.interface import FaultApi
from .context import FaultContext
from .fault import Effect, Observation, Visibility


@dataclass(frozen=True)
class Counter:
    """How the emulated cloud counts a kind of fault."""

    kind: str
    """The fault's kind in the fault API."""
    did: str
    """The counter's name."""
    what: str
    """What it counts, for messages."""

    async def inject(self, context: FaultContext, **settings: Any) -> EmulatorFault:
        """Start such a fault. Raises `NotSupported` on a cloud without a fault API."""
        api, id = context.injector(self.kind), context.ids.marker()
        await api.inject(id, self.kind, settings)
        return EmulatorFault(self, api, id)


@dataclass(frozen=True)
class EmulatorFault:
    """Effective once its counter is above zero."""

    counter: Counter
    api: FaultApi
    id: str

    async def verify(self) -> Observation:
        counts = await self.counts()
        number = counts.get(self.counter.did, 0)
        of = f" of {counts['concerned']} concerned" if "concerned" in counts else ""
        return Observation(number > 0, f"{number} {self.counter.what}{of}")

    async def undo(self) -> None:
        await self.api.undo(self.id)

    async def counts(self) -> Mapping[str, int]:
        return await self.api.counts(self.id)


@dataclass(frozen=True)
class ApiFault:
    """A fault of AWS calls; further fields are settings of the fault API."""

    service: str
    """In boto3's spelling."""
    operation: str | None = None
    """In AWS's spelling, such as `PutItem`; None for all operations."""
    by: str = field(default="tasks", kw_only=True)
    """The callers: `tasks` (all of ECS), `hermes`, `edit`, one task's ARN, or `everyone`, including the kit."""

    counter: ClassVar[Counter]
    needs: ClassVar[tuple[str, ...]] = (FAULT_API,)
    visibility: ClassVar[Visibility] = Visibility.BY_USE
    within: ClassVar[float] = 30.0

    @property
    def target(self) -> str:
        return f"{self.service}.{self.operation or '*'} by {self.by}"

    async def inject(self, context: FaultContext) -> Effect:
        settings = {name: value for name, value in vars(self).items() if name != "by"}
        return await self.counter.inject(context, callers=context.callers(self.by), **settings)
