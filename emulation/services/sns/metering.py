"""Counts published messages for AWS/SNS metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from ...core.controller import Call, Datum, Operation, Watcher
from ..controller_base import ControllerBase


class Metering(ControllerBase):
    """A `Controller` and a `MetricSource`."""

    def __init__(self) -> None:
        self._published: Counter[str] = Counter()
        """By topic, since the last collect."""

    def watchers(self) -> Mapping[Operation, Watcher]:
        return {("sns", "Publish"): self._on_publish, ("sns", "PublishBatch"): self._on_publish}

    async def collect(self) -> Iterable[Datum]:
        published, self._published = self._published, Counter()
        return [
            Datum("AWS/SNS", "NumberOfMessagesPublished", {"TopicName": topic}, (1.0,) * count, "Count")
            for topic, count in published.items()
        ]

    def _on_publish(self, call: Call) -> None:
        if topic := call.params.get("TopicArn", "").rpartition(":")[2]:
            self._published[topic] += len(call.params.get("PublishBatchRequestEntries", (None,)))
