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

_BEFORE, _PAUSED = 5.0, 0.4
"""Wall seconds for an answer: before, where one must come; and then, to tell silence from a slow answer."""


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
        before = await site.probe(host, port, _BEFORE)
        if before != ANSWERS:
            raise UsageError(f"task {self.task} {before} at {host}:{port} already: a pause would not show")
        paused = await ByDoor.inject(site, "pause-task", {"task": self.task}, did="paused", what="container(s) paused")
        return Paused(site, paused, host, port)


@dataclass(frozen=True)
class Paused:
    site: Site
    by_door: ByDoor
    host: str
    port: int

    async def verify(self) -> Seen:
        seen = await self.site.probe(self.host, self.port, _PAUSED)
        return Seen(seen == SILENT, f"{self.host}:{self.port}, which answered before, now: {seen}")

    async def undo(self) -> None:
        await self.by_door.undo()

    async def counts(self) -> Mapping[str, int]:
        return await self.by_door.counts()
