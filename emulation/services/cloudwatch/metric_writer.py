"""PutMetricData: validates and stores datapoints."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from ...core.background_tasks import BackgroundTasks
from ...core.controller import Call, Context
from ...core.errors import AwsError
from ...core.timestamps import epoch
from ...time.latency import ResourceDelays
from .errors import outside_enum
from .metrics import Metric, MetricStore
from .samples import Samples

MOST_DATA = 1000
MOST_VALUES = 150
OLDEST = 14 * 86400
NEWEST = 2 * 3600
LARGEST = 2.0**360
_SIZES = [f"{prefix}{of}".capitalize() for of in ("bytes", "bits") for prefix in ("", "Kilo", "Mega", "Giga", "Tera")]
UNITS = [
    *("Seconds", "Microseconds", "Milliseconds", "Percent", "Count", "Count/Second", "None"),
    *_SIZES,
    *(f"{size}/Second" for size in _SIZES),
]


class MetricWriter:
    """Stores either all datapoints of a request or none. With a latency profile they become visible later."""

    def __init__(self, ctx: Context, store: MetricStore, tasks: BackgroundTasks) -> None:
        self._clock = ctx.clock
        self._store = store
        self._tasks = tasks
        self._latency = ctx.latency
        self._delays: dict[str, ResourceDelays] = {}

    async def put_metric_data(self, call: Call) -> dict[str, Any]:
        namespace = call.params["Namespace"]
        if namespace.startswith("AWS/"):
            raise _invalid("The value AWS/ for parameter Namespace is invalid.")
        if namespace.startswith(":"):
            raise _invalid(f"The value {namespace} for parameter Namespace is invalid.")
        data = list(call.params.get("MetricData") or ())
        for entity in call.params.get("EntityMetricData") or ():
            data.extend(entity.get("MetricData") or ())
        if not data:
            raise AwsError("MissingParameter", "The parameter MetricData is required.")
        if len(data) > MOST_DATA:
            raise _invalid(f"The collection MetricData must not have a size greater than {MOST_DATA}.")
        accepted = [self._validated(namespace, datum, f"MetricData.member.{at}") for at, datum in enumerate(data, 1)]
        if namespace not in self._delays:
            self._delays[namespace] = self._latency.resource(f"PutMetricData {namespace}")
        if delay := self._delays[namespace].draw("cloudwatch.put.visible"):
            self._tasks.run(f"datapoints of {namespace}", self._store_late(accepted, delay))
        else:
            _store(accepted)
        return {}

    async def _store_late(self, accepted: Iterable[Callable[[], None]], delay: float) -> None:
        await self._clock.sleep(delay)
        _store(accepted)

    def _validated(self, namespace: str, datum: Mapping[str, Any], where: str) -> Callable[[], None]:
        """Validate a datapoint. Returns a function that stores it."""
        resolution = datum.get("StorageResolution") or 60
        if resolution not in (1, 60):
            raise _invalid(f"The value {resolution} for parameter {where}.StorageResolution is invalid.")
        unit = datum.get("Unit") or "None"
        if unit not in UNITS:
            raise outside_enum(unit, "metricData.member.unit", UNITS)
        dimensions = datum.get("Dimensions") or ()
        if len(dimensions) > 30:
            raise _invalid(f"The collection {where}.Dimensions must not have a size greater than 30.")
        if any(not each["Name"].strip() or not each["Value"].strip() for each in dimensions):
            raise _invalid(f"The parameter {where}.Dimensions must have names and values that are not blank.")
        metric = Metric.of({**datum, "Namespace": namespace})
        if len(metric.dimensions) < len(dimensions):
            raise _invalid(f"The parameter {where}.Dimensions names a dimension twice.")
        time = self._time(datum, where)
        return partial(self._store.put, metric, time, _samples(datum, where), unit=unit, resolution=resolution)

    def _time(self, datum: Mapping[str, Any], where: str) -> float:
        """The datapoint's time. Wall time is accepted too, for programs that do not know AWS time."""
        now = self._clock.now()
        if datum.get("Timestamp") is None:
            return now
        time = epoch(datum["Timestamp"])
        wall = self._clock.origin + (now - self._clock.origin) / self._clock.scale
        if time > max(now, wall) + NEWEST:
            raise _invalid(f"The parameter {where}.Timestamp must specify a time no more than two hours in the future.")
        if time < min(now, wall) - OLDEST:
            raise _invalid(f"The parameter {where}.Timestamp must specify a time no more than two weeks in the past.")
        return time


def _store(accepted: Iterable[Callable[[], None]]) -> None:
    for store in accepted:
        store()


def _samples(datum: Mapping[str, Any], where: str) -> Samples:
    given = [name for name in ("Value", "Values", "StatisticValues") if datum.get(name) is not None]
    if not given:
        raise AwsError(
            "MissingParameter",
            f"At least one of the parameters {where}.Value, {where}.Values and {where}.StatisticValues is required.",
        )
    if len(given) > 1 and "Value" in given:  # AWS takes Values and StatisticValues together
        raise AwsError(
            "InvalidParameterCombination",
            f"The parameters {where}.{given[0]} and {where}.{given[1]} are mutually exclusive "
            "and you have specified both.",
        )
    if given[0] == "StatisticValues":
        return _statistic_set(datum["StatisticValues"], f"{where}.StatisticValues")
    if given == ["Value"]:
        return Samples.of([_number(datum["Value"], f"{where}.Value")])
    values = [_number(value, f"{where}.Values") for value in datum["Values"]]
    counts = [_number(count, f"{where}.Counts") for count in datum.get("Counts") or [1.0] * len(values)]
    if len(values) != len(counts):
        raise _invalid(f"The parameters {where}.Values and {where}.Counts must be of the same size.")
    if not 1 <= len(values) <= MOST_VALUES:
        raise _invalid(f"The collection {where}.Values must have a size from 1 to {MOST_VALUES}, got {len(values)}.")
    if any(count <= 0 for count in counts):
        raise _invalid(f"The parameter {where}.Counts must be greater than 0.")
    return Samples.of(values, counts)


def _statistic_set(given: Mapping[str, Any], where: str) -> Samples:
    count, total, low, high = (
        _number(given[name], f"{where}.{name}") for name in ("SampleCount", "Sum", "Minimum", "Maximum")
    )
    if count <= 0:
        raise _invalid(f"The parameter {where}.SampleCount must be greater than 0.")
    if low > high:
        raise _invalid(f"The parameter {where}.Maximum must be greater than {where}.Minimum.")
    return Samples(count, total, low, high)


def _number(value: Any, where: str) -> float:
    number = float(value)
    if not math.isfinite(number) or abs(number) > LARGEST:
        text = "NaN" if math.isnan(number) else value
        raise _invalid(f"The value {text} for parameter {where} is invalid.")
    return number


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValue", message)
