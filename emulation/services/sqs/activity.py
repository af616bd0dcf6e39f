"""Counts a queue's activity for CloudWatch. Source of names: SQS Developer Guide, "Available metrics"."""

from __future__ import annotations

import bisect
from collections.abc import Iterable

from ...core.controller import Datum

ACTIVE = 6 * 3600
"""AWS seconds after its last use for which a queue has metrics."""


class Activity:
    """Counters since the last report, and the ages of the messages in the queue."""

    def __init__(self, queue: str, now: float) -> None:
        self._dimensions = {"QueueName": queue}
        self._counts = dict.fromkeys(("Sent", "Received", "Deleted"), 0)
        self._empty = 0
        self._used = now
        self._sent_at: list[float] = []
        self._handles: dict[str, float] = {}
        self.changed = True
        """Whether anything happened since the depth was last read."""

    def sent(self, count: int, now: float) -> None:
        self._use("Sent", count, now)
        self._sent_at.extend([now] * count)

    def received(self, messages: Iterable[tuple[str, float]], now: float) -> None:
        """`messages`: receipt handle and time of sending (epoch seconds)."""
        before = len(self._handles)
        self._handles.update(messages)
        count = len(self._handles) - before
        self._empty += not count
        self._use("Received", count, now)

    def deleted(self, handles: Iterable[str], now: float) -> None:
        for handle in handles:
            self._use("Deleted", 1, now)
            sent_at = self._handles.pop(handle, None)
            if sent_at is not None:
                self._forget(sent_at)

    def used(self, now: float) -> None:
        self._use("Sent", 0, now)

    def purged(self, now: float) -> None:
        self._sent_at.clear()
        self._handles.clear()
        self.used(now)

    def is_active(self, now: float) -> bool:
        return now - self._used <= ACTIVE

    def report(self, visible: int, in_flight: int, delayed: int, now: float) -> list[Datum]:
        """The data points of the minute that ended; resets the counters."""
        total = visible + in_flight + delayed
        if total:
            self._used = now
        self._fit(total, now)
        values = {
            "ApproximateNumberOfMessagesVisible": visible,
            "ApproximateNumberOfMessagesNotVisible": in_flight,
            "ApproximateNumberOfMessagesDelayed": delayed,
            **{f"NumberOfMessages{what}": count for what, count in self._counts.items()},
            "NumberOfEmptyReceives": self._empty,
        }
        self._counts, self._empty = dict.fromkeys(self._counts, 0), 0
        age = now - self._sent_at[0] if self._sent_at else 0.0
        return [
            *(self._datum(name, float(value), "Count") for name, value in values.items()),
            self._datum("ApproximateAgeOfOldestMessage", float(int(age)), "Seconds"),
        ]

    def _datum(self, name: str, value: float, unit: str) -> Datum:
        return Datum("AWS/SQS", name, self._dimensions, (value,), unit)

    def _use(self, what: str, count: int, now: float) -> None:
        self._counts[what] += count
        self._used = now
        self.changed = True

    def _forget(self, sent_at: float) -> None:
        """Remove the message sent at about that time."""
        if self._sent_at:
            after = min(bisect.bisect(self._sent_at, sent_at), len(self._sent_at) - 1)
            before = max(0, after - 1)
            nearer = min((before, after), key=lambda index: abs(self._sent_at[index] - sent_at))
            del self._sent_at[nearer]

    def _fit(self, total: int, now: float) -> None:
        """Match the queue's depth: drop the oldest messages, or add new ones."""
        del self._sent_at[: max(0, len(self._sent_at) - total)]
        self._sent_at.extend([now] * (total - len(self._sent_at)))
        if not total:
            self._handles.clear()
