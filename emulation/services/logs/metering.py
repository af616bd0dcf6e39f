"""Counts log events and their bytes for AWS/Logs metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from ...core.controller import Call, Datum, Operation, Watcher
from ..controller_base import ControllerBase

_EVENT_OVERHEAD = 26
"""Bytes that CloudWatch Logs counts for an event in addition to its text."""


class Metering(ControllerBase):
    """A `Controller` and a `MetricSource`."""

    def __init__(self) -> None:
        self._bytes: Counter[str] = Counter()
        self._events: Counter[str] = Counter()
        """By log group, since the last collect."""

    def watchers(self) -> Mapping[Operation, Watcher]:
        return {("logs", "PutLogEvents"): self._on_put}

    async def collect(self) -> Iterable[Datum]:
        data = []
        for name, unit, counter in (
            ("IncomingBytes", "Bytes", self._bytes),
            ("IncomingLogEvents", "Count", self._events),
        ):
            data += [
                Datum("AWS/Logs", name, {"LogGroupName": group}, (float(amount),), unit)
                for group, amount in counter.items()
            ]
            counter.clear()
        return data

    def _on_put(self, call: Call) -> None:
        group, events = call.params["logGroupName"], call.params["logEvents"]
        self._bytes[group] += sum(len(event["message"].encode()) + _EVENT_OVERHEAD for event in events)
        self._events[group] += len(events)
