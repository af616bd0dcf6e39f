"""One task's network is slow: its AWS calls, and the load balancer's requests to it, are delayed.

    load balancer --( +seconds )--> task --( +seconds )--> AWS

The emulated cloud's load balancer and gateway delay each request and call, and count; undoing releases what waits. All
of a task's traffic passes there, so no kernel needs `tc`. On AWS it would be FIS aws:ecs:task-network-latency, or the
agent's endpoint network-latency by ECS Exec.
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
class NetworkLatency(TaskFault):
    """Slow a task's network down."""

    seconds: float = 1.0
    """AWS seconds added each time."""
    jitter: float = 0.0
    """AWS seconds by which it is more or less, evenly spread."""
    seed: int = 0

    needs: ClassVar[tuple[str, ...]] = (FAULT_NETWORK,)
    visibility: ClassVar[Visibility] = Visibility.BY_USE
    within: ClassVar[float] = 120.0

    async def inject(self, context: FaultContext) -> Effect:
        settings = {
            **await context.network_path(self.task),
            "seconds": self.seconds,
            "jitter": self.jitter,
            "seed": self.seed,
        }
        return await EmulatorFault.inject(
            context, "network-latency", settings, did="delayed", what="request(s) and call(s) delayed"
        )
