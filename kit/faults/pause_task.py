"""A task stands still: its connections are accepted and never answered, its timers do not fire, nothing is closed.

    kit --GET--> task's own port     before: an answer     while paused: silence     after: an answer

The emulated cloud sends SIGSTOP to all of the task's processes, and SIGCONT to undo it. Live has nothing like it for
Fargate; near to it come `kill -STOP` of the main process by ECS Exec (with an init process), and FIS
aws:ecs:task-cpu-stress. Both are left out until they are tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from kit.backends.capability import FAULT_PAUSE
from kit.errors import UsageError
from kit.faults.by_door import ByDoor
from kit.faults.fault import Effect, Seen, Shows
from kit.faults.site import ANSWERS, SILENT, Site

_BEFORE = 5.0
"""Wall seconds in which the task must answer before it is paused."""
_SHORTEST, _TIMES = 0.25, 10.0
"""Silence is no answer for so many wall seconds, and for so many times as long as the answer before took."""


@dataclass(frozen=True)
class PauseTask:
    """Stop a task's processes where they are, until it is undone."""

    task: str
    """The task's ARN."""

    needs: ClassVar[tuple[str, ...]] = (FAULT_PAUSE,)
    shows: ClassVar[Shows] = Shows.AT_ONCE
    within: ClassVar[float] = 10.0

    @property
    def target(self) -> str:
        return self.task

    async def inject(self, site: Site) -> Effect:
        host, port = await site.address(await site.running_task(self.task))
        began = site.clock.monotonic()
        before = await site.probe(host, port, _BEFORE)
        took = site.clock.monotonic() - began
        if before != ANSWERS:
            raise UsageError(f"task {self.task} {before} at {host}:{port} already: a pause would not show")
        paused = await ByDoor.inject(site, "pause-task", {"task": self.task}, did="paused", what="container(s) paused")
        return Paused(site, paused, host, port, max(_SHORTEST, _TIMES * took))


@dataclass(frozen=True)
class Paused:
    site: Site
    by_door: ByDoor
    host: str
    port: int
    patience: float
    """Wall seconds after which no answer is silence."""

    async def verify(self) -> Seen:
        seen = await self.site.probe(self.host, self.port, self.patience)
        return Seen(seen == SILENT, f"{self.host}:{self.port}, which answered before: {seen} for {self.patience:.2f} s")

    async def undo(self) -> None:
        await self.by_door.undo()

    async def counts(self) -> Mapping[str, int]:
        return await self.by_door.counts()
