"""A task's network is unplugged: nothing reaches it, it reaches nothing, names included. It runs on.

    task --X--> everything        load balancer --X--> task: 502, unhealthy, replaced

The container engine disconnects it, and connects it again at the same place; ECS Exec still gets in, as it comes from
the engine. Processes of this machine have no network of their own: for them there are `CutFromAws` and
`CutFromLoadBalancer`. On AWS it would be a subnet's network ACL, or FIS aws:network:disrupt-connectivity: whole
subnets (`DisruptConnectivity`); a single task's interface cannot be detached.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..backends.capability import FAULT_UNPLUG
from ..core.errors import UsageError
from .context import ANSWERS, FaultContext
from .emulator_fault import EmulatorFault
from .fault import Effect, Observation, Visibility

_PATIENCE = 5.0
"""Wall seconds in which the task must answer before, and in which it must not under the fault."""


@dataclass(frozen=True)
class CutNetwork:
    """Unplug a task's network."""

    task: str
    """The task's ARN."""

    needs: ClassVar[tuple[str, ...]] = (FAULT_UNPLUG,)
    visibility: ClassVar[Visibility] = Visibility.AT_ONCE
    within: ClassVar[float] = 60.0

    @property
    def target(self) -> str:
        return self.task

    async def inject(self, context: FaultContext) -> Effect:
        host, port = await context.address(await context.running_task(self.task))
        before = await context.probe(host, port, _PATIENCE)
        if before != ANSWERS:
            raise UsageError(f"task {self.task} {before} at {host}:{port} already: a cut would not show")
        cut = await EmulatorFault.inject(
            context, "cut-network", {"task": self.task}, did="unplugged", what="task(s) unplugged"
        )
        return UnplugEffect(context, cut, host, port)


@dataclass(frozen=True)
class UnplugEffect:
    context: FaultContext
    emulator_fault: EmulatorFault
    host: str
    port: int

    async def verify(self) -> Observation:
        seen = await self.context.probe(self.host, self.port, _PATIENCE)
        return Observation(seen != ANSWERS, f"{self.host}:{self.port}, which answered before: {seen}")

    async def undo(self) -> None:
        await self.emulator_fault.undo()

    async def counts(self) -> Mapping[str, int]:
        return await self.emulator_fault.counts()
