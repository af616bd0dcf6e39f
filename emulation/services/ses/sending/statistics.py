"""Counts sent, bounced, complained and rejected mail for GetSendQuota and GetSendStatistics."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from typing import Any, Literal

from ....time.clock import Clock

MAX_DAILY = 50_000.0
"""Recipients a day of an account out of the sandbox."""
MAX_RATE = 14.0
"""Recipients a second of such an account. Reported, not enforced."""
INTERVAL = 15 * 60
"""AWS seconds a data point of GetSendStatistics covers."""
KEPT = 14 * 24 * 3600
"""AWS seconds data points are kept."""

Counter = Literal["DeliveryAttempts", "Bounces", "Complaints", "Rejects"]


class Statistics:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._points: deque[tuple[float, dict[str, int]]] = deque()
        """The start of each interval, and its counters."""

    def count(self, counter: Counter, recipients: int = 1) -> None:
        start = self._clock.now() // INTERVAL * INTERVAL
        while self._points and self._points[0][0] < start - KEPT:
            self._points.popleft()
        if not self._points or self._points[-1][0] != start:
            self._points.append((start, {"DeliveryAttempts": 0, "Bounces": 0, "Complaints": 0, "Rejects": 0}))
        self._points[-1][1][counter] += recipients

    def quota(self) -> dict[str, Any]:
        """A botocore `SendQuota`."""
        since = self._clock.now() - 24 * 3600
        sent = float(sum(counters["DeliveryAttempts"] for start, counters in self._points if start > since))
        return {"Max24HourSend": MAX_DAILY, "MaxSendRate": MAX_RATE, "SentLast24Hours": sent}

    def points(self) -> list[dict[str, Any]]:
        """Botocore `SendDataPoint`s, oldest first."""
        return [{"Timestamp": datetime.fromtimestamp(start, UTC), **counters} for start, counters in self._points]
