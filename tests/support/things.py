"""The resource type `Test::Thing` of the tests: it keeps a log, and fails or waits on request."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.ecs import eventually
from webordinary_testkit.emulation.services.cloudformation.errors import ResourceError
from webordinary_testkit.emulation.services.cloudformation.resources import TYPES
from webordinary_testkit.emulation.services.cloudformation.resources.base import Job, ResourceType

NAME = "Test::Thing"


def install(monkeypatch: pytest.MonkeyPatch) -> Things:
    """Registers `Test::Thing` for a test."""
    things = Things()
    monkeypatch.setitem(TYPES, NAME, things.type())
    return things


@dataclass
class Things:
    """Existing things by physical id, and a log of all operations."""

    there: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    tags: dict[str, Mapping[str, str]] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    """`create A`, `update A`, `delete A`, in order of their start."""
    release: asyncio.Event = field(default_factory=asyncio.Event)
    """The event that a thing with Wait or HoldDelete waits for."""
    made: int = 0

    async def begun(self, count: int) -> None:
        """Waits for this many log entries."""

        async def enough() -> bool:
            return len(self.log) >= count

        await eventually(enough)

    async def exist(self, count: int) -> None:
        """Waits for this many existing things."""

        async def enough() -> bool:
            return len(self.there) >= count

        await eventually(enough)

    def type(self) -> ResourceType:
        return ResourceType(
            NAME,
            properties="Name Value Size Fail FailLate FailUpdate FailDelete Wait HoldCreate Tags",
            create_only="Size Name",
            attributes="Value Never",
            name_property="Name",
            create=self.create,
            update=self.update,
            delete=self.delete,
            stabilize=self.stabilize,
            retag=self.retag,
        )

    async def create(self, job: Job) -> None:
        self.log.append(f"create {job.logical_id}")
        if job.flag("HoldCreate"):
            await self.release.wait()
        if "Fail" in job.properties:
            raise ResourceError(job.text("Fail"))
        self.made += 1
        job.created(f"thing-{self.made}", Value=job.get("Value", "none"))
        self.there[job.physical_id] = job.properties
        self.tags[job.physical_id] = job.tags
        if "FailLate" in job.properties:
            raise ResourceError(job.text("FailLate"))

    async def stabilize(self, job: Job) -> None:
        if job.flag("Wait"):
            await self.release.wait()

    async def update(self, job: Job) -> None:
        self.log.append(f"update {job.logical_id}")
        if "FailUpdate" in job.properties:
            raise ResourceError(job.text("FailUpdate"))
        self.there[job.physical_id] = job.properties
        job.attributes["Value"] = job.get("Value", "none")

    async def retag(self, job: Job, before: Mapping[str, str]) -> None:
        self.log.append(f"retag {job.logical_id}")
        self.tags[job.physical_id] = job.tags

    async def delete(self, job: Job) -> None:
        self.log.append(f"delete {job.logical_id}")
        if job.flag("FailDelete"):
            raise ResourceError("It is in use.", code="DependencyViolation")
        if self.there.pop(job.physical_id, None) is None:
            raise ResourceError("It does not exist.", code="Thing.NotFound")
