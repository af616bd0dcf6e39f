"""A task freezes: it accepts connections and never answers, its timers do not fire, nothing is closed.

    kit --GET--> task's own port     before: an answer     while paused: silence     after: an answer

The emulated cloud sends SIGSTOP to all of the task's processes, and SIGCONT to undo it. On AWS a shell in the container
does the same by ECS Exec, to the main process and its descendants: this needs an init process, as process 1 cannot be
stopped from inside; ECS Exec's agent keeps running. The processes resume by themselves after a while if the kit is
gone. A task's own port cannot be reached from outside the VPC, so there the effect is the kernel's process state: T.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ..aws.undo import DEADLINE
from ..backends.capability import FAULT_PAUSE
from ..core.errors import InfraError, NotSupported, UsageError
from . import processes
from .context import SILENT, FaultContext
from .effects import EmulatorEffect, TaskFault
from .emulator_fault import Counter
from .fault import Effect, Observation

_PAUSED = Counter("pause-task", "paused", "container(s) paused")
_BEFORE = 5.0
"""Wall seconds in which the task must answer before it is paused."""
_SHORTEST, _TIMES = 0.25, 10.0
"""Silence is no answer for so many wall seconds, and for so many times the duration of the answer before."""


@dataclass(frozen=True)
class PauseTask(TaskFault):
    """Freeze a task's processes until it is undone."""

    needs: ClassVar[tuple[str, ...]] = (FAULT_PAUSE,)
    within = 30.0

    async def inject(self, context: FaultContext) -> Effect:
        if context.fault_api is None:
            return await _pause_inside(context, await context.running_task(self.task))
        host, port, took = await context.answering(self.task, _BEFORE, "a pause")
        paused = await _PAUSED.inject(context, task=self.task)
        return PauseEffect(context, paused, host, port, max(_SHORTEST, _TIMES * took))


@dataclass(frozen=True)
class PauseEffect(EmulatorEffect):
    host: str
    port: int
    patience: float
    """Wall seconds after which no answer is silence."""

    async def verify(self) -> Observation:
        seen = await self.context.probe(self.host, self.port, self.patience)
        return Observation(
            seen == SILENT, f"{self.host}:{self.port}, which answered before: {seen} for {self.patience:.2f} s"
        )


@dataclass(frozen=True)
class ExecPauseEffect:
    context: FaultContext
    task: str
    container: str
    pids: Sequence[str]

    async def verify(self) -> Observation:
        result = await self.context.run(self.task, self.container, processes.states(list(self.pids)))
        states = dict(line.split() for line in result.output.splitlines() if len(line.split()) == 2)
        stopped = [pid for pid in self.pids if states.get(pid) == "T"]
        return Observation(
            len(stopped) == len(self.pids), f"{len(stopped)} of {len(self.pids)} processes of {self.container} stopped"
        )

    async def undo(self) -> None:
        from ..ecs_exec.client import ExecError  # noqa: PLC0415 - heavy: only where a command is run

        if (await self.context.task(self.task))["lastStatus"] != "RUNNING":
            return
        try:
            await self.context.run(self.task, self.container, processes.resume(list(self.pids)))
        except ExecError as error:
            if (await self.context.task(self.task))["lastStatus"] == "RUNNING":
                raise InfraError(f"task {self.task} may stay paused for another {DEADLINE:g} s: {error}") from error

    async def counts(self) -> Mapping[str, int]:
        return {"paused": len(self.pids)}


async def _pause_inside(context: FaultContext, task: Mapping[str, Any]) -> ExecPauseEffect:
    arn, container = task["taskArn"], task["containers"][0]["name"]
    if len(task["containers"]) > 1 or not await context.can_signal(task, container):
        raise NotSupported(
            f"task {arn} cannot be paused from inside",
            next="that takes one container with EnableExecuteCommand and LinuxParameters.InitProcessEnabled",
        )
    result = await context.run(arn, container, processes.pause(DEADLINE / context.clock.scale))
    word, *pids = (result.output.split() if result.exit_code == 0 else []) or [""]
    if word != "paused" or not pids:
        raise UsageError(f"nothing was paused in {container} of {arn}: {result.output.strip()}")
    return ExecPauseEffect(context, arn, container, tuple(pids))
