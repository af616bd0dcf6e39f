"""Faults that the cloud commits itself, told by its own counts of what it did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..backends.emulated.faults import FaultDoor
from .context import Site
from .fault import Seen


@dataclass(frozen=True)
class OfCalls:
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

    def concerned(self, site: Site) -> dict[str, Any]:
        """The calls, as the door takes them."""
        return {"service": self.service, "operation": self.operation, "callers": site.callers(self.by)}


@dataclass(frozen=True)
class ByDoor:
    """Effective once the cloud has counted that it did `did` to something."""

    door: FaultDoor
    id: str
    did: str
    """The name of the count."""
    what: str
    """The sentence of what was done, after a number."""

    @classmethod
    async def inject(cls, site: Site, kind: str, settings: Mapping[str, Any], *, did: str, what: str) -> ByDoor:
        door = site.the_door(f"commit a fault such as {kind}")
        id = site.ids.marker()
        await door.inject(id, kind, settings)
        return cls(door, id, did, what)

    async def verify(self) -> Seen:
        counts = await self.counts()
        return Seen(counts.get(self.did, 0) > 0, f"{counts.get(self.did, 0)} {self.what}{_of(counts)}")

    async def undo(self) -> None:
        await self.door.undo(self.id)

    async def counts(self) -> Mapping[str, int]:
        return await self.door.counts(self.id)


def _of(counts: Mapping[str, int]) -> str:
    return f" of {counts['concerned']} concerned" if "concerned" in counts else ""
