"""A service's answers are delayed by a number of AWS seconds.

The emulated cloud's gateway delays each call and counts; undoing releases the waiting calls. On AWS this would be FIS
aws:ecs:task-network-latency with sources DYNAMODB, S3 or a domain, on tasks with enableFaultInjection (a minute at
least), or the agent's fault endpoint through ECS Exec.
"""

from __future__ import annotations

from dataclasses import dataclass

from .emulator_fault import ApiFault, Counter


@dataclass(frozen=True)
class ApiLatency(ApiFault):
    """Let answers come late."""

    seconds: float = 1.0
    """AWS seconds added to each call."""

    counter = Counter("latency", "delayed", "call(s) delayed")
