"""Decides which calls pass: a token bucket in AWS time, or a seeded coin."""

from __future__ import annotations

import random

from ..time.clock import Clock


class Bucket:
    """Holds up to `burst` tokens and begins full; `rate` are added in each AWS second, and every call takes one."""

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
    """Passes all but a share of `probability`. The same seed gives the same sequence."""

    def __init__(self, probability: float, seed: int) -> None:
        self._probability = probability
        self._random = random.Random(seed)  # noqa: S311 - chance, not a key

    def passes(self) -> bool:
        return self._random.random() >= self._probability
