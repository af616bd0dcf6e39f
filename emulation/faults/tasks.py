"""Faults of one task: its processes stand still, or are killed."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar, Protocol

from ..services.ecs.runtime import RunningContainer
from .fault import FaultRefused


class Tasks(Protocol):
    """ECS, as far as faults reach into it."""

    def running(self, task_arn: str) -> Mapping[str, RunningContainer]:
        """The running containers of a task by their names; none for a task that is not there."""
        ...


@dataclass(frozen=True)
class TaskSettings:
    task: str
    """The task's ARN."""
    container: str | None = None
    """All of them when None (for a kill: the only one)."""


def chosen(tasks: Tasks, settings: TaskSettings) -> Mapping[str, RunningContainer]:
    """The containers meant. Raises `FaultRefused` when there is none."""
    running = tasks.running(settings.task)
    if not running:
        raise FaultRefused(f"no container of task {settings.task} runs", status=404)
    if settings.container is None:
        return running
    if settings.container not in running:
        there = ", ".join(running)
        raise FaultRefused(
            f"no container {settings.container!r} of {settings.task} runs; there are {there}", status=404
        )
    return {settings.container: running[settings.container]}


class PauseTask:
    """Nothing of the task runs on: connections to it are accepted by the system and never answered."""

    kind: ClassVar[str] = "pause-task"

    def __init__(self, tasks: Tasks, settings: TaskSettings) -> None:
        self._tasks = tasks
        self._settings = settings
        self._paused: list[RunningContainer] = []

    @property
    def settings(self) -> Mapping[str, object]:
        return asdict(self._settings)

    @property
    def excludes(self) -> str:
        return f"task {self._settings.task} is paused"

    def counts(self) -> Mapping[str, int]:
        return {"paused": len(self._paused)}

    def begin(self) -> None:
        self._paused = list(chosen(self._tasks, self._settings).values())
        for container in self._paused:
            container.pause()

    def end(self) -> None:
        for container in self._paused:
            container.resume()


class KillProcess:
    """SIGKILL to the first process of a container, past its init process: exit code 137, without a last word."""

    kind: ClassVar[str] = "kill-process"

    def __init__(self, tasks: Tasks, settings: TaskSettings) -> None:
        self._tasks = tasks
        self._settings = settings
        self._killed = 0

    @property
    def settings(self) -> Mapping[str, object]:
        return asdict(self._settings)

    @property
    def excludes(self) -> None:
        return None

    def counts(self) -> Mapping[str, int]:
        return {"killed": self._killed}

    def begin(self) -> None:
        found = chosen(self._tasks, self._settings)
        if len(found) > 1:
            raise FaultRefused(f"task {self._settings.task} has the containers {', '.join(found)}: name one")
        for container in found.values():
            container.signal(signal.SIGKILL)
            self._killed += 1

    def end(self) -> None:
        """A killed process stays dead; its service starts another task."""
