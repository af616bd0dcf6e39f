"""Faults that the cloud commits itself, told by its own counts of what it did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..backends.interface import FaultApi
from .context import FaultContext
from .fault import Observation


@dataclass(frozen=True)
class ApiFault:
    """What all faults of AWS's calls are told."""

    service: str
    """As boto3 names it."""
    operation: str | None = None
    """As AWS spells it, such as `PutItem`; all of the service's when None."""
    by: str = field(default="tasks", kw_only=True)
    """Whose calls: `tasks` (all of ECS), `hermes`, `edit`, one task's ARN, or `everyone`, the kit included."""

    @property
    def target(self) -> str:
        return f"{self.service}.{self.operation or '*'} by {self.by}"

    def concerned(self, context: FaultContext) -> dict[str, Any]:
        """The calls, as the door takes them."""
        return {"service": self.service, "operation": self.operation, "callers": context.callers(self.by)}


@dataclass(frozen=True)
class EmulatorFault:
    """Effective once the cloud has counted that it did `did` to something."""

    api: FaultApi
    id: str
    did: str
    """The name of the count."""
    what: str
    """The sentence of what was done, after a number."""

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
