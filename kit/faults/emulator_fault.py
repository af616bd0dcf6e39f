"""Faults that the emulated cloud causes and counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..backends.interface import FaultApi
from .context import FaultContext
from .fault import Observation


@dataclass(frozen=True)
class ApiFault:
    """A fault of AWS calls."""

    service: str
    """In boto3's spelling."""
    operation: str | None = None
    """In AWS's spelling, such as `PutItem`; None for all operations."""
    by: str = field(default="tasks", kw_only=True)
    """The callers: `tasks` (all of ECS), `hermes`, `edit`, one task's ARN, or `everyone`, including the kit."""

    @property
    def target(self) -> str:
        return f"{self.service}.{self.operation or '*'} by {self.by}"

    def concerned(self, context: FaultContext) -> dict[str, Any]:
        """The affected calls, in the fault API's terms."""
        return {"service": self.service, "operation": self.operation, "callers": context.callers(self.by)}


@dataclass(frozen=True)
class EmulatorFault:
    """Effective once the cloud's counter `did` is above zero."""

    api: FaultApi
    id: str
    did: str
    """The counter's name."""
    what: str
    """What the counter counts, for messages."""

    @classmethod
    async def inject(
        cls, context: FaultContext, kind: str, settings: Mapping[str, Any], *, did: str, what: str
    ) -> EmulatorFault:
        api = context.injector(kind)
        id = context.ids.marker()
        await api.inject(id, kind, settings)
        return cls(api, id, did, what)

    async def verify(self) -> Observation:
        counts = await self.counts()
        return Observation(counts.get(self.did, 0) > 0, f"{counts.get(self.did, 0)} {self.what}{_of(counts)}")

    async def undo(self) -> None:
        await self.api.undo(self.id)

    async def counts(self) -> Mapping[str, int]:
        return await self.api.counts(self.id)


def _of(counts: Mapping[str, int]) -> str:
    return f" of {counts['concerned']} concerned" if "concerned" in counts else ""
