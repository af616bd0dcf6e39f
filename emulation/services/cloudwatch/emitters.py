"""Publishes the metrics that AWS services emit, once a minute."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from ...core.controller import Context, Datum, MetricSource
from .metrics import MINUTE, Metric, MetricStore
from .samples import Samples


class Emitters:
    """Collects from every source, at each full minute of AWS time, the minute that just ended."""

    def __init__(self, ctx: Context, store: MetricStore, sources: Sequence[MetricSource]) -> None:
        self._ctx = ctx
        self._store = store
        self._sources = sources

    async def run(self) -> None:
        minute = self._ctx.clock.now() // MINUTE * MINUTE
        while self._sources:
            end = minute + MINUTE
            await self._ctx.clock.sleep_until(end)
            async with asyncio.TaskGroup() as group:
                for source in self._sources:
                    group.create_task(self._collect(source, minute))
            minute = max(end, self._ctx.clock.now() // MINUTE * MINUTE)

    async def _collect(self, source: MetricSource, minute: float) -> None:
        """Log a source's failure, so that the other sources are still published."""
        try:
            self._publish(await source.collect(), minute)
        except Exception:
            self._ctx.log.exception("metrics of %s are missing for a minute", type(source).__name__)

    def _publish(self, data: Iterable[Datum], minute: float) -> None:
        for datum in data:
            metric = Metric.named(datum.namespace, datum.name, datum.dimensions)
            self._store.put(metric, minute, Samples.of(datum.values), unit=datum.unit)
