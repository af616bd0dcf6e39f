"""One task's network loses packets, which are sent again after 1, 2, 4, … seconds, until the sender gives up.

    load balancer --( lost? again, later )--> task --( lost? again, later )--> AWS

The emulated cloud's load balancer and gateway decide by one seeded coin for each health check, request and call: with
`probability=1` all are lost. On AWS it would be FIS aws:ecs:task-network-packet-loss, or the agent's endpoint
network-packet-loss by ECS Exec.
"""

from __future__ import annotations

from dataclasses import dataclass

from .effects import NetworkFault
from .emulator_fault import Counter


@dataclass(frozen=True)
class PacketLoss(NetworkFault):
    """Lose packets of a task."""

    probability: float = 0.1
    """Share of packets lost, 0 to 1."""
    seed: int = 0

    counter = Counter("packet-loss", "lost", "request(s) and call(s) lost a packet")
    within = 240.0
