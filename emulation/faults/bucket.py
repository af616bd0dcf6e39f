"""Which calls get through: a token bucket in AWS time, or a seeded coin."""

from __future__ import annotations

import random

from ..time.clock import Clock


class Bucket:
    """Holds `burst` tokens at most and begins full; `rate` come in each AWS second, every call takes one."""

    def __init__(self, clock: Clock, rate: float, burst: float) -> None:
        self._clock = clock
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._filled = clock.now()

    def passes(self) -> bool:
        now = self._clock.now()
        self._tokens = min(self._burst, self._tokens + (now - self._filled) * self._rate)
        self._filled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Coin:
    """Lets through all but a share of `probability`. The same seed gives the same row of answers."""

    def __init__(self, probability: float, seed: int) -> None:
        self._probability = probability
        self._random = random.Random(seed)

    def passes(self) -> bool:
        return self._random.random() >= self._probability
