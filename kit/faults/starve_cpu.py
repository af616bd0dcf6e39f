"""A container gets next to no CPU time: everything in it still happens, a long time later.

    ECS Exec: a fixed piece of work    before: so long    while starved: many times as long

The emulated cloud lowers the container's limit, which the kernel keeps; where containers are processes of this machine
they have none, so there the fault is absent. On AWS it is FIS aws:ecs:task-cpu-stress with its SSM sidecar.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..backends.capability import FAULT_CPU
from ..core.errors import UsageError
from .context import Site
from .emulator_fault import ByDoor
from .exec_fault import InContainer, SeenInside, chosen, entered
from .fault import Effect, Seen, Shows

_WORK = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo $i"
"""Some 30 ms of CPU time."""
_TIMES, _LONGER = 3.0, 0.2
"""Starved, it takes so many times as long, and so many wall seconds longer."""


@dataclass(frozen=True)
class StarveCpu(InContainer):
    """Starve a task's container; the first one when none is named."""

    cpus: float = 0.05
    """What is left to it, in CPUs of the machine it runs on."""

    needs: ClassVar[tuple[str, ...]] = (FAULT_CPU,)
    shows: ClassVar[Shows] = Shows.AT_ONCE
    within: ClassVar[float] = 120.0

    async def inject(self, site: Site) -> Effect:
        task = await site.running_task(self.task)
        container = chosen(task, self.container)
        entered(task)
        before = min([await _work(site, self.task, container) for _ in range(2)])
        settings = {"task": self.task, "container": container, "cpus": self.cpus}
        starved = await ByDoor.inject(site, "starve-cpu", settings, did="starved", what="container(s) starved")
        return Starved(site, starved, self.task, container, before)


@dataclass(frozen=True)
class Starved(SeenInside):
    before: float
    """Wall seconds of the work before."""

    async def verify(self) -> Seen:
        now = await _work(self.site, self.task, self.container)
        enough = max(_TIMES * self.before, self.before + _LONGER)
        return Seen(now >= enough, f"the same work in {self.container} took {now:.2f} s, {self.before:.2f} s before")


async def _work(site: Site, task: str, container: str) -> float:
    """Wall seconds. Raises `UsageError` when it cannot be done there."""
    began = site.clock.monotonic()
    result = await site.run(task, container, _WORK)
    if result.exit_code != 0:
        raise UsageError(f"no shell does its work in {container} of {task}: {result.output.strip()}")
    return site.clock.monotonic() - began
