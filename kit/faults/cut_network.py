"""A running task's network is unplugged: no traffic in or out, DNS included.

    task --X--> everything        load balancer --X--> task: 502, unhealthy, replaced

The container engine disconnects the task and reconnects it at the same address; ECS Exec still works, because it comes
from the engine. Tasks that are processes of this machine share its network: use `CutFromAws` and `CutFromLoadBalancer`
for them. On AWS this would be a subnet's network ACL, or FIS aws:network:disrupt-connectivity for whole subnets
(`DisruptConnectivity`); a single task's interface cannot be detached.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..backends.capability import FAULT_UNPLUG
from .context import ANSWERS, FaultContext
from .effects import EmulatorEffect, TaskFault
from .emulator_fault import Counter
from .fault import Effect, Observation

_UNPLUGGED = Counter("cut-network", "unplugged", "task(s) unplugged")
_PATIENCE = 5.0
"""Wall seconds in which the task must answer before the fault, and must not during it."""


@dataclass(frozen=True)
class CutNetwork(TaskFault):
    """Unplug a task's network."""

    needs: ClassVar[tuple[str, ...]] = (FAULT_UNPLUG,)
    within = 60.0

    async def inject(self, context: FaultContext) -> Effect:
        host, port, _ = await context.answering(self.task, _PATIENCE, "a cut")
        cut = await _UNPLUGGED.inject(context, task=self.task)
        return UnplugEffect(context, cut, host, port)


@dataclass(frozen=True)
class UnplugEffect(EmulatorEffect):
    host: str
    port: int

    async def verify(self) -> Observation:
        seen = await self.context.probe(self.host, self.port, _PATIENCE)
        return Observation(seen != ANSWERS, f"{self.host}:{self.port}, which answered before: {seen}")
