"""How much was sent, bounced and complained about: what GetSendQuota and GetSendStatistics answer."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ....time.clock import Clock

MAX_DAILY = 50_000.0
"""Recipients a day of an account out of the sandbox."""
MAX_RATE = 14.0
"""Recipients a second of such an account. Reported, not enforced."""
INTERVAL = 15 * 60
"""AWS seconds a data point of GetSendStatistics covers."""
KEPT = 14 * 24 * 3600
"""AWS seconds data points are kept."""


@dataclass
class _Point:
    start: float
    attempts: int = 0
    bounces: int = 0
    complaints: int = 0
    rejects: int = 0


class Statistics:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._points: deque[_Point] = deque()

    def attempts(self, recipients: int) -> None:
        self._now().attempts += recipients

    def bounces(self, count: int) -> None:
        self._now().bounces += count

    def complaints(self, count: int) -> None:
        self._now().complaints += count

    def rejects(self, count: int) -> None:
        self._now().rejects += count

    def last_day(self) -> int:
        """Recipients sent to within the last 24 AWS hours."""
        since = self._clock.now() - 24 * 3600
        return sum(point.attempts for point in self._points if point.start > since)

    def points(self) -> list[dict[str, Any]]:
        """Botocore `SendDataPoint`s, oldest first."""
        return [
            {
                "Timestamp": datetime.fromtimestamp(point.start, UTC),
                "DeliveryAttempts": point.attempts,
                "Bounces": point.bounces,
                "Complaints": point.complaints,
                "Rejects": point.rejects,
            }
            for point in self._points
        ]

    def _now(self) -> _Point:
        start = self._clock.now() // INTERVAL * INTERVAL
        while self._points and self._points[0].start < start - KEPT:
            self._points.popleft()
        if not self._points or self._points[-1].start != start:
            self._points.append(_Point(start))
        return self._points[-1]
