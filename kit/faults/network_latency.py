"""One task's network is slow: its AWS calls, and the load balancer's requests to it, are delayed.

    load balancer --( +seconds )--> task --( +seconds )--> AWS

The emulated cloud's load balancer and gateway delay each request and call, and count; undoing releases what waits. All
of a task's traffic passes there, so no kernel needs `tc`. On AWS it would be FIS aws:ecs:task-network-latency, or the
agent's endpoint network-latency by ECS Exec.
"""

from __future__ import annotations

from dataclasses import dataclass

from .effects import NetworkFault
from .emulator_fault import Counter


@dataclass(frozen=True)
class NetworkLatency(NetworkFault):
    """Slow a task's network down."""

    seconds: float = 1.0
    """AWS seconds added each time."""
    jitter: float = 0.0
    """AWS seconds by which it is more or less, evenly spread."""
    seed: int = 0

    counter = Counter("network-latency", "delayed", "request(s) and call(s) delayed")
    within = 120.0
