"""The metric store: published values by namespace, name and exact set of dimensions."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .samples import Samples, merged

MINUTE = 60
HIGH_RESOLUTION_KEPT = 3 * 3600
"""AWS seconds for which high-resolution values are kept; then they are merged into minutes, as on AWS."""
KEPT = 15 * 86400
"""AWS seconds for which minutes are kept. (AWS then keeps five minutes and hours; this store deletes them.)"""
TRIM_EVERY = 600


@dataclass(frozen=True, order=True)
class Metric:
    """The identity of a metric. CloudWatch never aggregates over dimensions: one more or less is another metric."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()

    @classmethod
    def named(cls, namespace: str, name: str, dimensions: Mapping[str, str]) -> Metric:
        return cls(namespace, name, tuple(sorted(dimensions.items())))

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Metric:
        """From the API's Namespace, MetricName and Dimensions."""
        dimensions = {each["Name"]: each["Value"] for each in params.get("Dimensions") or ()}
        return cls.named(params.get("Namespace", ""), params.get("MetricName", ""), dimensions)


@dataclass
class _Series:
    times: list[int] = field(default_factory=list)
    moments: dict[int, dict[str, Samples]] = field(default_factory=dict)
    folded: float = 0.0
    trimmed: float = 0.0

    def add(self, time: int, unit: str, samples: Samples) -> None:
        units = self.moments.get(time)
        if units is None:
            units = self.moments[time] = {}
            insort(self.times, time)
        units[unit] = units[unit] + samples if unit in units else samples

    def within(self, start: float, end: float) -> Iterator[tuple[int, dict[str, Samples]]]:
        for index in range(bisect_left(self.times, start), bisect_left(self.times, end)):
            time = self.times[index]
            yield time, self.moments[time]

    def trim(self, now: float) -> None:
        """Merge high-resolution values that are no longer recent into minutes; delete expired ones."""
        horizon = (now - HIGH_RESOLUTION_KEPT) // MINUTE * MINUTE
        first, last = bisect_left(self.times, self.folded), bisect_left(self.times, horizon)
        times = self.times[first:last]
        del self.times[first:last]
        for time in times:
            for unit, samples in self.moments.pop(time).items():
                self.add(time - time % MINUTE, unit, samples)
        self.folded = horizon
        expired = bisect_left(self.times, now - KEPT)
        for time in self.times[:expired]:
            del self.moments[time]
        del self.times[:expired]
        self.trimmed = now


class MetricStore:
    """Stores published values and reads them in periods."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._series: dict[Metric, _Series] = {}
        self._listeners: list[Callable[[Metric, int], None]] = []

    def on_arrival(self, listener: Callable[[Metric, int], None]) -> None:
        """Call `listener` with the metric and time (AWS epoch seconds) of each value published."""
        self._listeners.append(listener)

    def put(
        self, metric: Metric, time: float, samples: Samples, *, unit: str = "None", resolution: int = MINUTE
    ) -> None:
        """Add values at `time`, which is rounded down to the second (resolution 1) or the minute (60)."""
        moment, now = int(time // resolution * resolution), self._now()
        series = self._series.setdefault(metric, _Series())
        series.add(moment, unit, samples)
        if now - series.trimmed > TRIM_EVERY:
            series.trim(now)
        for listener in self._listeners:
            listener(metric, moment)

    def windows(
        self,
        metric: Metric,
        start: float,
        period: int,
        count: int,
        *,
        unit: str | None = None,
        end: float | None = None,
    ) -> list[Samples | None]:
        """The values of `count` periods from `start` on, oldest first; None for a period without values."""
        by_unit = self.windows_by_unit(metric, start, period, count, end=end)
        return [units.get(unit) if unit is not None else merged(units.values()) for units in by_unit]

    def windows_by_unit(
        self, metric: Metric, start: float, period: int, count: int, *, end: float | None = None
    ) -> list[dict[str, Samples]]:
        """As `windows`, by unit. Values at or after `end` are excluded."""
        result: list[dict[str, Samples]] = [{} for _ in range(count)]
        series = self._series.get(metric)
        if series is None:
            return result
        last = start + period * count if end is None else min(end, start + period * count)
        for time, units in series.within(start, last):
            into = result[int((time - start) // period)]
            for unit, samples in units.items():
                into[unit] = into[unit] + samples if unit in into else samples
        return result

    def latest(self, metric: Metric) -> int | None:
        """The time of the newest value (AWS epoch seconds)."""
        series = self._series.get(metric)
        return series.times[-1] if series and series.times else None

    def __iter__(self) -> Iterator[Metric]:
        """The metrics that have values, sorted."""
        return iter(sorted(metric for metric, series in self._series.items() if series.times))
