"""A task stands still: its connections are accepted and never answered, its timers do not fire, nothing is closed.

    kit --GET--> task's own port     before: an answer     while paused: silence     after: an answer

The emulated cloud sends SIGSTOP to all of the task's processes, and SIGCONT to undo it. On AWS a shell in the container
does the same by ECS Exec, to the main process and all that it began: with an init process, as process 1 cannot be
stopped from inside; ECS Exec's own agent goes on. They go on by themselves after a while, should nobody be there to
say so. From outside the VPC a task's own port cannot be asked, so there the kernel's word is taken: state T.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ..aws.undo import DEADLINE
from ..backends.capability import FAULT_PAUSE
from ..core.errors import InfraError, NotSupported, UsageError
from . import processes
from .context import ANSWERS, SILENT, Site
from .emulator_fault import ByDoor
from .fault import Effect, Seen, Shows

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
    within: ClassVar[float] = 30.0

    @property
    def target(self) -> str:
        return self.task

    async def inject(self, site: Site) -> Effect:
        task = await site.running_task(self.task)
        if site.door is None:
            return await _pause_inside(site, task)
        host, port = await site.address(task)
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


@dataclass(frozen=True)
class PausedInside:
    site: Site
    task: str
    container: str
    pids: Sequence[str]

    async def verify(self) -> Seen:
        result = await self.site.run(self.task, self.container, processes.states(list(self.pids)))
        told = dict(line.split() for line in result.output.splitlines() if len(line.split()) == 2)
        stopped = [pid for pid in self.pids if told.get(pid) == "T"]
        return Seen(
            len(stopped) == len(self.pids), f"{len(stopped)} of {len(self.pids)} processes of {self.container} stopped"
        )

    async def undo(self) -> None:
        from ..ecs_exec.client import ExecError  # noqa: PLC0415 - heavy: only where a command is run

        if (await self.site.task(self.task))["lastStatus"] != "RUNNING":
            return
        try:
            await self.site.run(self.task, self.container, processes.go_on(list(self.pids)))
        except ExecError as error:
            if (await self.site.task(self.task))["lastStatus"] == "RUNNING":
                raise InfraError(f"task {self.task} may stand still for another {DEADLINE:g} s: {error}") from error

    async def counts(self) -> Mapping[str, int]:
        return {"paused": len(self.pids)}


async def _pause_inside(site: Site, task: Mapping[str, Any]) -> PausedInside:
    arn, container = task["taskArn"], task["containers"][0]["name"]
    if len(task["containers"]) > 1 or not await site.can_signal(task, container):
        raise NotSupported(
            f"task {arn} cannot be paused from inside",
            next="that takes one container with EnableExecuteCommand and LinuxParameters.InitProcessEnabled",
        )
    result = await site.run(arn, container, processes.pause(DEADLINE / site.clock.scale))
    word, *pids = (result.output.split() if result.exit_code == 0 else []) or [""]
    if word != "paused" or not pids:
        raise UsageError(f"nothing was paused in {container} of {arn}: {result.output.strip()}")
    return PausedInside(site, arn, container, tuple(pids))
