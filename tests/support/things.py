"""A resource type of the tests' own, `Test::Thing`: it keeps a log, and fails or waits on request."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.ecs import eventually
from webordinary_testkit.emulation.services.cloudformation.errors import ResourceError
from webordinary_testkit.emulation.services.cloudformation.resources import TYPES
from webordinary_testkit.emulation.services.cloudformation.resources.base import ResourceType, Work
from webordinary_testkit.emulation.services.cloudformation.summary import words

NAME = "Test::Thing"


def install(monkeypatch: pytest.MonkeyPatch) -> Things:
    """Let templates use `Test::Thing` for the length of a test."""
    things = Things()
    monkeypatch.setitem(TYPES, NAME, things.type())
    return things


@dataclass
class Things:
    """Every thing that exists, by physical id, and all that happened."""

    there: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    tags: dict[str, Mapping[str, str]] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    """`create A`, `update A`, `delete A`, in the order of beginning."""
    release: asyncio.Event = field(default_factory=asyncio.Event)
    """What a thing with Wait or HoldDelete waits for."""
    made: int = 0

    async def begun(self, count: int) -> None:
        """Return once so much has happened."""

        async def enough() -> bool:
            return len(self.log) >= count

        await eventually(enough)

    async def exist(self, count: int) -> None:
        """Return once so many are there."""

        async def enough() -> bool:
            return len(self.there) >= count

        await eventually(enough)

    def type(self) -> ResourceType:
        return ResourceType(
            NAME,
            properties=words("Name Value Size Fail FailLate FailUpdate FailDelete Wait HoldCreate Tags"),
            replacing=words("Size Name"),
            attributes=words("Value Never"),
            named="Name",
            create=self.create,
            update=self.update,
            delete=self.delete,
            stabilize=self.stabilize,
            retag=self.retag,
        )

    async def create(self, work: Work) -> None:
        self.log.append(f"create {work.logical_id}")
        if work.flag("HoldCreate"):
            await self.release.wait()
        if "Fail" in work.properties:
            raise ResourceError(work.text("Fail"))
        self.made += 1
        work.made(f"thing-{self.made}", Value=work.get("Value", "none"))
        self.there[work.physical_id] = work.properties
        self.tags[work.physical_id] = work.tags
        if "FailLate" in work.properties:
            raise ResourceError(work.text("FailLate"))

    async def stabilize(self, work: Work) -> None:
        if work.flag("Wait"):
            await self.release.wait()

    async def update(self, work: Work) -> None:
        self.log.append(f"update {work.logical_id}")
        if "FailUpdate" in work.properties:
            raise ResourceError(work.text("FailUpdate"))
        self.there[work.physical_id] = work.properties
        work.attributes["Value"] = work.get("Value", "none")

    async def retag(self, work: Work, before: Mapping[str, str]) -> None:
        self.log.append(f"retag {work.logical_id}")
        self.tags[work.physical_id] = work.tags

    async def delete(self, work: Work) -> None:
        self.log.append(f"delete {work.logical_id}")
        if work.flag("FailDelete"):
            raise ResourceError("It is in use.", code="DependencyViolation")
        if self.there.pop(work.physical_id, None) is None:
            raise ResourceError("It does not exist.", code="Thing.NotFound")
