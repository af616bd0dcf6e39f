"""What a container has is taken from it: its CPU time, its network."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar

from ..services.ecs.runtime import IsolatedContainer
from .fault import FaultRefused
from .job import Job
from .tasks import Tasks, TaskSettings, chosen


def _contained(tasks: Tasks, settings: TaskSettings) -> list[IsolatedContainer]:
    """The containers meant. Raises `FaultRefused` where they have nothing of their own."""
    found: list[IsolatedContainer] = [
        each for each in chosen(tasks, settings).values() if isinstance(each, IsolatedContainer)
    ]
    if not found:
        raise FaultRefused(
            f"the containers of {settings.task} are processes of this machine: they have no CPU limit and no network "
            "of their own that could be taken from them. Run with --runtime docker"
        )
    return found


@dataclass(frozen=True)
class CpuSettings(TaskSettings):
    cpus: float = 0.05
    """Of this machine."""

    def __post_init__(self) -> None:
        if not self.cpus >= 0.01:
            raise ValueError(f"cpus must be 0.01 or more, got {self.cpus:g}")


class StarveCpu:
    """The container gets next to no CPU time."""

    kind: ClassVar[str] = "starve-cpu"

    def __init__(self, tasks: Tasks, settings: CpuSettings) -> None:
        self._tasks = tasks
        self._settings = settings
        self._starved: list[IsolatedContainer] = []
        self._job = Job()

    @property
    def settings(self) -> Mapping[str, object]:
        return asdict(self._settings)

    @property
    def excludes(self) -> str:
        return f"task {self._settings.task} is starved of CPU time"

    def counts(self) -> Mapping[str, int]:
        return {"starved": len(self._starved)}

    def begin(self) -> None:
        self._starved = _contained(self._tasks, self._settings)
        self._job.begin(lambda: self._allow(self._settings.cpus))

    def end(self) -> None:
        self._job.begin(lambda: self._allow(None))

    async def settled(self) -> None:
        await self._job.settled()

    async def _allow(self, cpus: float | None) -> None:
        await asyncio.gather(*(each.allow_cpus(cpus) for each in self._starved))


class CutNetwork:
    """Nothing reaches the task, and it reaches nothing: its network is unplugged."""

    kind: ClassVar[str] = "cut-network"

    def __init__(self, tasks: Tasks, settings: TaskSettings) -> None:
        self._tasks = tasks
        self._settings = settings
        self._unplugged: IsolatedContainer | None = None
        self._job = Job()

    @property
    def settings(self) -> Mapping[str, object]:
        return asdict(self._settings)

    @property
    def excludes(self) -> str:
        return f"task {self._settings.task} has no network"

    def counts(self) -> Mapping[str, int]:
        return {"unplugged": int(self._unplugged is not None)}

    def begin(self) -> None:
        # Its containers share one network.
        container = self._unplugged = _contained(self._tasks, self._settings)[0]
        self._job.begin(container.unplug)

    def end(self) -> None:
        if self._unplugged is not None:
            self._job.begin(self._unplugged.plug_in)

    async def settled(self) -> None:
        await self._job.settled()
