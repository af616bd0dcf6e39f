"""Faults of one task's processes: paused or killed."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from ..services.ecs.runtime import RunningContainer
from .fault import FaultBase, FaultRefused


class Tasks(Protocol):
    """The part of ECS that faults use."""

    def running(self, task_arn: str) -> Mapping[str, RunningContainer]:
        """The running containers of a task by name; empty for an unknown task."""


@dataclass(frozen=True)
class TaskSettings:
    task: str
    """The task's ARN."""
    container: str | None = None
    """None: all of them (for a kill: the only one)."""


def containers_of(tasks: Tasks, settings: TaskSettings) -> Mapping[str, RunningContainer]:
    """The containers that the settings select. Raises `FaultRefused` when there is none."""
    running = tasks.running(settings.task)
    if not running:
        raise FaultRefused(f"no container of task {settings.task} runs", status=404)
    if settings.container is None:
        return running
    if settings.container not in running:
        raise FaultRefused(
            f"no container {settings.container!r} of {settings.task} runs; there are {', '.join(running)}", status=404
        )
    return {settings.container: running[settings.container]}


class PauseTask(FaultBase):
    """Pauses the task: the system accepts connections to it, and nothing answers them."""

    kind: ClassVar[str] = "pause-task"

    def __init__(self, tasks: Tasks, settings: TaskSettings) -> None:
        super().__init__(settings, paused=0)
        self._tasks = tasks
        self._paused: list[RunningContainer] = []
        self.excludes = f"task {settings.task} is paused"

    def begin(self) -> None:
        self._paused = list(containers_of(self._tasks, self._settings).values())
        self._counts["paused"] = len(self._paused)
        for container in self._paused:
            container.pause()

    def end(self) -> None:
        for container in self._paused:
            container.resume()


class KillProcess(FaultBase):
    """SIGKILL to the first process of a container below its init process: exit code 137."""

    kind: ClassVar[str] = "kill-process"

    def __init__(self, tasks: Tasks, settings: TaskSettings) -> None:
        super().__init__(settings, killed=0)
        self._tasks = tasks

    def begin(self) -> None:
        found = containers_of(self._tasks, self._settings)
        if len(found) > 1:
            raise FaultRefused(f"task {self._settings.task} has the containers {', '.join(found)}: name one")
        for container in found.values():
            container.signal(signal.SIGKILL)
            self._counts["killed"] += 1

    def end(self) -> None:
        """A killed process stays dead; its service starts another task."""
