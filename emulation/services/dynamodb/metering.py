"""The metrics that bills are made of: AWS/DynamoDB, AWS/SNS and AWS/Logs, of what calls really did.

PutItem, Publish, PutLogEvents … --watched--> counted --each minute--> CloudWatch
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping

from ...core.controller import Call, Context, Datum, Handler, Operation, Watcher
from ...core.errors import AwsError
from .consumed_capacity import OPERATIONS, Tables

_LOG_EVENT_OVERHEAD = 26
"""Bytes CloudWatch Logs counts for an event beside its text."""


class Consumption:
    """A controller and a `MetricSource`."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._tables = Tables(ctx.aws)
        self._published: Counter[str] = Counter()
        self._logged: Counter[str] = Counter()
        self._events: Counter[str] = Counter()
        self._calls: asyncio.Queue[Call] = asyncio.Queue()
        self._following: asyncio.Task[None] | None = None

    def handlers(self) -> Mapping[Operation, Handler]:
        return {}

    def watchers(self) -> Mapping[Operation, Watcher]:
        return {
            **{("dynamodb", operation): self._calls.put_nowait for operation in OPERATIONS},
            ("dynamodb", "DeleteTable"): lambda call: self._tables.forget(call.params["TableName"]),
            ("sns", "Publish"): self._on_publish,
            ("sns", "PublishBatch"): self._on_publish,
            ("logs", "PutLogEvents"): self._on_logs,
        }

    async def start(self) -> None:
        self._following = asyncio.get_running_loop().create_task(self._follow(), name="consumed units")

    async def stop(self) -> None:
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)

    async def collect(self) -> Iterable[Datum]:
        """As `MetricSource`; what has just been done is counted first."""
        if self._following is not None and not self._following.done():
            await self._calls.join()
        data = self._tables.collect()
        data += [
            Datum("AWS/SNS", "NumberOfMessagesPublished", {"TopicName": topic}, (1.0,) * count, "Count")
            for topic, count in self._published.items()
        ]
        for group, size in self._logged.items():
            where = {"LogGroupName": group}
            data.append(Datum("AWS/Logs", "IncomingBytes", where, (float(size),), "Bytes"))
            data.append(Datum("AWS/Logs", "IncomingLogEvents", where, (float(self._events[group]),), "Count"))
        for counter in (self._published, self._logged, self._events):
            counter.clear()
        return data

    async def _follow(self) -> None:
        while True:
            call = await self._calls.get()
            try:
                await self._tables.follow(call)
            except AwsError as error:  # the table or the item's key is gone meanwhile: nothing is left to measure
                self._ctx.log.debug("units of %s are not counted: %s", call.operation, error)
            except Exception:
                self._ctx.log.exception("units of %s are not counted", call.operation)
            finally:
                self._calls.task_done()

    def _on_publish(self, call: Call) -> None:
        topic = call.params.get("TopicArn", "").rpartition(":")[2]
        if topic:
            self._published[topic] += len(call.params.get("PublishBatchRequestEntries", (None,)))

    def _on_logs(self, call: Call) -> None:
        group, events = call.params["logGroupName"], call.params["logEvents"]
        self._logged[group] += sum(len(event["message"].encode()) + _LOG_EVENT_OVERHEAD for event in events)
        self._events[group] += len(events)
