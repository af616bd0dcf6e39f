"""Publishes the metrics that AWS services emit, once a minute."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from ...core.controller import Context, Datum, MetricSource
from ...time.latency import ResourceDelays
from .metrics import MINUTE, Metric, MetricStore
from .samples import Samples

_DELAYS: Mapping[str, str] = {
    "AWS/SQS": "sqs.metric.publication",
    "AWS/ApplicationELB": "elbv2.metric.publication",
    "AWS/ECS": "ecs.metric.publication",
}
"""Namespace → the delay of its datapoints."""


class Emitters:
    """Collects from every source, at each full minute of AWS time, the minute that just ended, and publishes it after
    the delay of its namespace."""

    def __init__(self, ctx: Context, store: MetricStore, sources: Sequence[MetricSource]) -> None:
        self._ctx = ctx
        self._store = store
        self._sources = sources
        self._delays: dict[str, ResourceDelays] = {}

    async def run(self) -> None:
        minute = self._ctx.clock.now() // MINUTE * MINUTE
        async with asyncio.TaskGroup() as publications:
            while self._sources:
                end = minute + MINUTE
                await self._ctx.clock.sleep_until(end)
                async with asyncio.TaskGroup() as group:
                    collections = [group.create_task(self._collect(source)) for source in self._sources]
                data = sorted((datum for each in collections for datum in each.result()), key=_namespace)
                for namespace, own in groupby(data, _namespace):
                    delay = self._delay(namespace)
                    if delay == 0:
                        self._publish(own, minute)
                    else:
                        publications.create_task(self._publish_late(list(own), minute, delay))
                minute = max(end, self._ctx.clock.now() // MINUTE * MINUTE)

    async def _collect(self, source: MetricSource) -> list[Datum]:
        """The datapoints of a source; a failure is logged, so that the other sources are still published."""
        try:
            return list(await source.collect())
        except Exception:
            self._ctx.log.exception("metrics of %s are missing for a minute", type(source).__name__)
            return []

    def _delay(self, namespace: str) -> float:
        if namespace not in self._delays:
            self._delays[namespace] = self._ctx.latency.resource(namespace)
        return self._delays[namespace].draw(_DELAYS.get(namespace, "cloudwatch.metric.publication"))

    async def _publish_late(self, data: Iterable[Datum], minute: float, delay: float) -> None:
        await self._ctx.clock.sleep(delay)
        self._publish(data, minute)

    def _publish(self, data: Iterable[Datum], minute: float) -> None:
        for datum in data:
            try:
                metric = Metric.named(datum.namespace, datum.name, datum.dimensions)
                self._store.put(metric, minute, Samples.of(datum.values), unit=datum.unit)
            except Exception:
                self._ctx.log.exception("%s of %s is missing for a minute", datum.name, datum.namespace)


def _namespace(datum: Datum) -> str:
    return datum.namespace
