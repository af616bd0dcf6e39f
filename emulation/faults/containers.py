"""Faults of containers: no CPU time, no network."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import ClassVar

from ..services.ecs.runtime import IsolatedContainer
from .fault import FaultBase, FaultRefused
from .job import Job
from .tasks import Tasks, TaskSettings, containers_of


class ContainerFault(FaultBase):
    """A fault of a task's containers, which the engine begins and ends."""

    def __init__(self, tasks: Tasks, settings: TaskSettings, **counts: int) -> None:
        super().__init__(settings, **counts)
        self._tasks = tasks
        self._containers: list[IsolatedContainer] = []
        self._job = Job()

    async def settled(self) -> None:
        await self._job.settled()

    def _find(self) -> list[IsolatedContainer]:
        """The task's containers. Raises `FaultRefused` when they are processes."""
        running = containers_of(self._tasks, self._settings).values()
        self._containers = [each for each in running if isinstance(each, IsolatedContainer)]
        if not self._containers:
            raise FaultRefused(
                f"the containers of {self._settings.task} are processes of this machine: they have no CPU limit and no "
                "network of their own that could be taken from them. Run with --runtime docker"
            )
        return self._containers


@dataclass(frozen=True)
class CpuSettings(TaskSettings):
    cpus: float = 0.05
    """Of this machine."""

    def __post_init__(self) -> None:
        if not self.cpus >= 0.01:
            raise ValueError(f"cpus must be 0.01 or more, got {self.cpus:g}")


class StarveCpu(ContainerFault):
    """Limits the container to next to no CPU time."""

    kind: ClassVar[str] = "starve-cpu"

    def __init__(self, tasks: Tasks, settings: CpuSettings) -> None:
        super().__init__(tasks, settings, starved=0)
        self._cpus = settings.cpus
        self.excludes = f"task {settings.task} is starved of CPU time"

    def begin(self) -> None:
        self._counts["starved"] = len(self._find())
        self._job.begin(lambda: self._limit(self._cpus))

    def end(self) -> None:
        self._job.begin(lambda: self._limit(None))

    async def _limit(self, cpus: float | None) -> None:
        await asyncio.gather(*(each.allow_cpus(cpus) for each in self._containers))


class CutNetwork(ContainerFault):
    """Disconnects the task from its network."""

    kind: ClassVar[str] = "cut-network"

    def __init__(self, tasks: Tasks, settings: TaskSettings) -> None:
        super().__init__(tasks, settings, unplugged=0)
        self.excludes = f"task {settings.task} has no network"

    def begin(self) -> None:
        container = self._find()[0]  # a task's containers share one network
        self._counts["unplugged"] = 1
        self._job.begin(container.unplug)

    def end(self) -> None:
        self._job.begin(self._containers[0].plug_in)
