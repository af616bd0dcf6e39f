"""One task's network loses packets, which are sent again after 1, 2, 4, … seconds, until the sender gives up.

    load balancer --( lost? again, later )--> task --( lost? again, later )--> AWS

The emulated cloud's load balancer and gateway decide by one seeded coin for each health check, request and call: with
`probability=1` all are lost. On AWS it would be FIS aws:ecs:task-network-packet-loss, or the agent's endpoint
network-packet-loss by ECS Exec.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..backends.capability import FAULT_NETWORK
from .context import FaultContext
from .effects import TaskFault
from .emulator_fault import EmulatorFault
from .fault import Effect, Visibility


@dataclass(frozen=True)
class PacketLoss(TaskFault):
    """Lose packets of a task."""

    probability: float = 0.1
    """Share of packets lost, 0 to 1."""
    seed: int = 0

    needs: ClassVar[tuple[str, ...]] = (FAULT_NETWORK,)
    visibility: ClassVar[Visibility] = Visibility.BY_USE
    within: ClassVar[float] = 240.0

    async def inject(self, context: FaultContext) -> Effect:
        settings = {**await context.network_path(self.task), "probability": self.probability, "seed": self.seed}
        return await EmulatorFault.inject(
            context, "packet-loss", settings, did="lost", what="request(s) and call(s) lost a packet"
        )
