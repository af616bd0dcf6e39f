"""Publishes, minute by minute, the metrics that AWS itself would publish."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from ...core.controller import Context, Datum, MetricSource
from .metrics import MINUTE, Metric, MetricStore
from .samples import Samples


class Emitters:
    """Asks every source, at each full minute of AWS time, for the minute that just ended."""

    def __init__(self, ctx: Context, store: MetricStore, sources: Sequence[MetricSource]) -> None:
        self._ctx = ctx
        self._store = store
        self._sources = sources
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._sources:
            self._task = asyncio.get_running_loop().create_task(self._emit(), name="metric emitters")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _emit(self) -> None:
        minute = self._ctx.clock.now() // MINUTE * MINUTE
        while True:
            end = minute + MINUTE
            await self._ctx.clock.sleep_until(end)
            await asyncio.gather(*(self._collect(source, minute) for source in self._sources))
            minute = max(end, self._ctx.clock.now() // MINUTE * MINUTE)

    async def _collect(self, source: MetricSource, minute: float) -> None:
        """A source that fails is complained about and keeps nobody else from being heard."""
        try:
            self._publish(await source.collect(), minute)
        except Exception:
            self._ctx.log.exception("metrics of %s are missing for a minute", type(source).__name__)

    def _publish(self, data: Iterable[Datum], minute: float) -> None:
        for datum in data:
            metric = Metric.named(datum.namespace, datum.name, datum.dimensions)
            self._store.put(metric, minute, Samples.of(datum.values), unit=datum.unit)
