"""One task's network with latency or packet loss, towards AWS and from the load balancer.

    load balancer --( late )--> task --( late )--> gateway

A lost packet is sent again after 1, 2, 4 … seconds, as TCP does, so a loss is a delay too, until the client gives up.
Each health check, request and call gets one delay.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..gateway.intercept import InterceptedCall
from ..services.elbv2.links import Disturbance, Links
from .calls import ApiFaultContext
from .fault import FaultBase, FaultRefused

_FIRST_RETRY = 1.0
"""AWS seconds; RFC 6298, 2.1."""
_RETRIES = 6
"""Linux' tcp_syn_retries: a connection attempt gives up after 127 s."""


@dataclass(frozen=True)
class NetworkPath:
    """The network paths of one task."""

    task: str
    """The task's ARN."""
    host: str | None = None
    """With the port, its address as a target of the load balancer; None for a task that is no target."""
    port: int = 0


@dataclass(frozen=True)
class LatencySettings(NetworkPath):
    seconds: float = 0.1
    """AWS seconds."""
    jitter: float = 0.0
    """AWS seconds more or less, uniformly distributed."""
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.jitter <= self.seconds or not self.seconds > 0:
            raise ValueError(
                f"seconds must be above 0 and jitter between 0 and that, got {self.seconds:g} and {self.jitter:g}"
            )

    def delay(self) -> Callable[[], float]:
        chance = random.Random(self.seed)  # noqa: S311 - chance, not a key
        return lambda: self.seconds + chance.uniform(-self.jitter, self.jitter)


@dataclass(frozen=True)
class LossSettings(NetworkPath):
    probability: float = 0.1
    """Share of packets lost, 0 to 1."""
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.probability <= 1:
            raise ValueError(f"probability must be above 0 and at most 1, got {self.probability:g}")

    def delay(self) -> Callable[[], float]:
        chance = random.Random(self.seed)  # noqa: S311 - chance, not a key

        def retries() -> float:
            lost = 0
            while lost <= _RETRIES and chance.random() < self.probability:
                lost += 1
            return _FIRST_RETRY * float(2**lost - 1)

        return retries


class SlowNetwork(FaultBase):
    """Delays in both directions; the same seed gives the same sequence of delays."""

    kind: ClassVar[str]
    did: ClassVar[str]
    """The name of its count."""

    def __init__(self, context: ApiFaultContext, links: Links, settings: LatencySettings | LossSettings) -> None:
        super().__init__(settings)
        self._context = context
        self._links = links
        self._delay = settings.delay()
        self._to_aws = Disturbance(self._delay)
        self._to_task: Disturbance | None = None

    def counts(self) -> Mapping[str, int]:
        paths = [self._to_aws, *([self._to_task] if self._to_task else [])]
        return {"concerned": sum(path.passed for path in paths), self.did: sum(path.held for path in paths)}

    def begin(self) -> None:
        if not self._context.groups.known(self._settings.task):
            raise FaultRefused(f"no task {self._settings.task} runs", status=404)
        self._context.traffic.network.append(self._intercept)
        if self._settings.host is not None:
            self._to_task = self._links.disturb(self._settings.host, self._settings.port, self._delay)

    def end(self) -> None:
        self._context.traffic.network.remove(self._intercept)
        self._to_aws.over.set()
        if self._to_task is not None and self._settings.host is not None:
            self._links.calm(self._settings.host, self._settings.port, self._to_task)

    async def _intercept(self, call: InterceptedCall) -> None:
        if call.caller.kind == "task" and call.caller.name == self._settings.task:
            await self._to_aws.hold(self._context.clock)


class NetworkLatency(SlowNetwork):
    """Delays everything."""

    kind: ClassVar[str] = "network-latency"
    did: ClassVar[str] = "delayed"


class PacketLoss(SlowNetwork):
    """Loses some packets, which are sent again."""

    kind: ClassVar[str] = "packet-loss"
    did: ClassVar[str] = "lost"
