"""The maximum throughput of a table: a token bucket for reads and one for writes, in AWS seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...time.clock import Clock

UNLIMITED = -1


class TokenBucket:
    """Holds up to one second's units. A larger call takes the bucket into debt, which delays the next ones."""

    def __init__(self, clock: Clock, rate: float) -> None:
        self._clock = clock
        self._rate = rate
        self._units = rate
        self._filled = clock.now()

    def take(self, units: float) -> bool:
        now = self._clock.now()
        self._units = min(self._rate, self._units + (now - self._filled) * self._rate)
        self._filled = now
        if self._units < min(units, self._rate):
            return False
        self._units -= units
        return True


@dataclass
class Limit:
    """UpdateTable's OnDemandThroughput, enforced from `since` (AWS epoch seconds), when the table is ACTIVE again."""

    reads: int
    writes: int
    since: float
    buckets: dict[str, TokenBucket] = field(default_factory=dict)

    def of(self, direction: str) -> int:
        return self.reads if direction == "Read" else self.writes

    def passes(self, clock: Clock, direction: str, units: float) -> bool:
        rate = self.of(direction)
        if rate == UNLIMITED or clock.now() < self.since:
            return True
        if direction not in self.buckets:
            self.buckets[direction] = TokenBucket(clock, rate)
        return self.buckets[direction].take(units)

    @property
    def description(self) -> Mapping[str, int]:
        return {"MaxReadRequestUnits": self.reads, "MaxWriteRequestUnits": self.writes}
