"""Delays a service's attempts to start tasks that keep failing."""

from __future__ import annotations

from dataclasses import dataclass

TRIES_AT_ONCE = 2
FIRST_DELAY = 15.0
LONGEST_DELAY = 27 * 60.0
"""AWS seconds; "up to a maximum of 27 minutes" (ECS developer guide, service throttle logic)."""


@dataclass
class Backoff:
    """The service throttle logic: the delay doubles with each consecutive failure after the second.

    AWS documents only the longest delay.
    """

    failures: int = 0
    until: float = 0.0
    """AWS time before which no task is started."""

    @property
    def throttling(self) -> bool:
        return self.failures > TRIES_AT_ONCE

    def failed(self, now: float) -> None:
        self.failures += 1
        if self.throttling:
            doublings = min(self.failures - TRIES_AT_ONCE - 1, 16)
            self.until = now + min(FIRST_DELAY * 2**doublings, LONGEST_DELAY)

    def reset(self) -> None:
        self.failures = 0
        self.until = 0.0
