"""A service's answers are delayed by a number of AWS seconds.

The emulated cloud's gateway delays each call and counts; undoing releases the waiting calls. On AWS this would be FIS
aws:ecs:task-network-latency with sources DYNAMODB, S3 or a domain, on tasks with enableFaultInjection (a minute at
least), or the agent's fault endpoint through ECS Exec.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..backends.capability import FAULT_API
from .context import FaultContext
from .emulator_fault import ApiFault, EmulatorFault
from .fault import Effect, Visibility


@dataclass(frozen=True)
class ApiLatency(ApiFault):
    """Let answers come late."""

    seconds: float = 1.0
    """AWS seconds added to each call."""

    needs: ClassVar[tuple[str, ...]] = (FAULT_API,)
    visibility: ClassVar[Visibility] = Visibility.BY_USE
    within: ClassVar[float] = 30.0

    async def inject(self, context: FaultContext) -> Effect:
        settings = {**self.concerned(context), "seconds": self.seconds}
        return await EmulatorFault.inject(context, "latency", settings, did="delayed", what="call(s) delayed")
