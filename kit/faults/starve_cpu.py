"""A container gets almost no CPU time: everything in it takes many times as long.

    ECS Exec: a fixed piece of work    before: so long    while starved: many times as long

The emulated cloud lowers the container's CPU limit, which the kernel enforces. Tasks that are processes of this machine
have no limit, so the fault is absent there. On AWS it would be FIS aws:ecs:task-cpu-stress with its SSM sidecar.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..backends.capability import FAULT_CPU
from ..core.errors import UsageError
from .context import FaultContext
from .emulator_fault import Counter
from .exec_fault import ContainerFault, ExecEffect
from .fault import Effect, Observation

_STARVED = Counter("starve-cpu", "starved", "container(s) starved")
_WORK = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo $i"
"""Some 30 ms of CPU time."""
_TIMES, _LONGER = 3.0, 0.2
"""When it is starved, the work takes so many times as long, and so many wall seconds longer."""


@dataclass(frozen=True)
class StarveCpu(ContainerFault):
    """Starve a task's container; the first one when none is named."""

    cpus: float = 0.05
    """The remaining limit, in CPUs of the machine it runs on."""

    needs: ClassVar[tuple[str, ...]] = (FAULT_CPU,)
    within = 120.0

    async def inject(self, context: FaultContext) -> Effect:
        _, container = await self.enterable(context)
        before = min([await _work(context, self.task, container) for _ in range(2)])
        starved = await _STARVED.inject(context, task=self.task, container=container, cpus=self.cpus)
        return StarvationEffect(context, starved, self.task, container, before)


@dataclass(frozen=True)
class StarvationEffect(ExecEffect):
    before: float
    """Wall seconds of the work before."""

    async def verify(self) -> Observation:
        now = await _work(self.context, self.task, self.container)
        enough = max(_TIMES * self.before, self.before + _LONGER)
        return Observation(
            now >= enough, f"the same work in {self.container} took {now:.2f} s, {self.before:.2f} s before"
        )


async def _work(context: FaultContext, task: str, container: str) -> float:
    """Wall seconds. Raises `UsageError` when it cannot be done there."""
    began = context.clock.monotonic()
    result = await context.run(task, container, _WORK)
    if result.exit_code != 0:
        raise UsageError(f"the shell in {container} of {task} failed: {result.output.strip()}")
    return context.clock.monotonic() - began
