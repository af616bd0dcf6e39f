"""The network of one task is slow, or loses packets: on its way to AWS, and on the load balancer's way to it.

    load balancer --( late )--> task --( late )--> gateway

A lost packet is sent again after a second, then after two, four …, as TCP does; so a loss is a delay as well, until
whoever waits gives up. One delay for each health check, request and call.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar

from ..gateway import InterceptedCall
from ..services.elbv2.links import Disturbance, Links
from .calls import ApiFaultContext
from .fault import FaultRefused

_FIRST_RETRY = 1.0
"""AWS seconds; RFC 6298, 2.1."""
_RETRIES = 6
"""Linux' tcp_syn_retries: whoever connects gives up after 127 s."""


@dataclass(frozen=True)
class NetworkPath:
    """Whose network."""

    task: str
    """The task's ARN."""
    host: str | None = None
    """With the port, where the load balancer reaches it; None for a task that it does not reach."""
    port: int = 0


@dataclass(frozen=True)
class LatencySettings(NetworkPath):
    seconds: float = 0.1
    """AWS seconds."""
    jitter: float = 0.0
    """AWS seconds by which it is more or less, evenly spread."""
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.jitter <= self.seconds or not self.seconds > 0:
            raise ValueError(
                f"seconds must be above 0 and jitter between 0 and that, got {self.seconds:g} and {self.jitter:g}"
            )

    def delay(self) -> Callable[[], float]:
        chance = random.Random(self.seed)
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
        chance = random.Random(self.seed)

        def until_it_gets_through() -> float:
            lost = 0
            while lost <= _RETRIES and chance.random() < self.probability:
                lost += 1
            return _FIRST_RETRY * float(2**lost - 1)

        return until_it_gets_through


class SlowNetwork:
    """What the two have in common; each has its own row of delays, the same for the same seed."""

    kind: ClassVar[str]
    did: ClassVar[str]
    """The name of its count."""

    def __init__(self, street: ApiFaultContext, links: Links, settings: LatencySettings | LossSettings) -> None:
        self._street = street
        self._links = links
        self._settings = settings
        delay = settings.delay()
        self._to_aws = Disturbance(delay)
        self._delay = delay
        self._to_task: Disturbance | None = None

    @property
    def settings(self) -> Mapping[str, object]:
        return asdict(self._settings)

    @property
    def excludes(self) -> None:
        return None

    def counts(self) -> Mapping[str, int]:
        ways = [self._to_aws, *([self._to_task] if self._to_task else [])]
        return {"concerned": sum(way.passed for way in ways), self.did: sum(way.held for way in ways)}

    def begin(self) -> None:
        if not self._street.groups.known(self._settings.task):
            raise FaultRefused(f"no task {self._settings.task} runs", status=404)
        self._street.traffic.interceptors.append(self._intercept)
        if self._settings.host is not None:
            self._to_task = self._links.disturb(self._settings.host, self._settings.port, self._delay)

    def end(self) -> None:
        self._street.traffic.interceptors.remove(self._intercept)
        self._to_aws.over.set()
        if self._to_task is not None and self._settings.host is not None:
            self._links.calm(self._settings.host, self._settings.port, self._to_task)

    async def _intercept(self, call: InterceptedCall) -> None:
        if call.caller.kind == "task" and call.caller.name == self._settings.task:
            await self._to_aws.hold(self._street.clock)


class NetworkLatency(SlowNetwork):
    """Everything takes longer."""

    kind: ClassVar[str] = "network-latency"
    did: ClassVar[str] = "delayed"


class PacketLoss(SlowNetwork):
    """Some packets are lost, and sent again."""

    kind: ClassVar[str] = "packet-loss"
    did: ClassVar[str] = "lost"
