"""How long a service waits before it tries again to start tasks that keep failing to start."""

from __future__ import annotations

from dataclasses import dataclass

TRIES_AT_ONCE = 2
FIRST_DELAY = 15.0
LONGEST_DELAY = 27 * 60.0
"""AWS seconds; "up to a maximum of 27 minutes" (ECS developer guide, service throttle logic)."""


@dataclass
class Backoff:
    """The service throttle logic: consecutive failed starts make the next one wait, twice as long each time.

    The first two failures are retried at once. AWS documents the longest delay, not the steps to it.
    """

    failures: int = 0
    until: float = 0.0
    """AWS time before which no task of the service is started."""

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
