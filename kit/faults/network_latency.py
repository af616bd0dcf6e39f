"""One task's network is slow: its calls of AWS, and what the load balancer sends it, take so much longer.

    load balancer --( +seconds )--> task --( +seconds )--> AWS

The emulated cloud's load balancer and gateway hold back each request and call, and count; undone, they let go of what
waits. It is there that a task's traffic passes, whatever its containers are, and no kernel has to have `tc` for it. On
AWS it is FIS aws:ecs:task-network-latency, or the agent's endpoint network-latency by ECS Exec.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..backends.capability import FAULT_NETWORK
from .context import FaultContext
from .emulator_fault import EmulatorFault
from .fault import Effect, Visibility


@dataclass(frozen=True)
class NetworkLatency:
    """Slow a task's network down."""

    task: str
    """The task's ARN."""
    seconds: float = 1.0
    """AWS seconds added each time."""
    jitter: float = 0.0
    """AWS seconds by which it is more or less, evenly spread."""
    seed: int = 0

    needs: ClassVar[tuple[str, ...]] = (FAULT_NETWORK,)
    visibility: ClassVar[Visibility] = Visibility.BY_USE
    within: ClassVar[float] = 120.0

    @property
    def target(self) -> str:
        return self.task

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
