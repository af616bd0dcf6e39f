"""GetMetricData, GetMetricStatistics and ListMetrics."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ...core.controller import Call
from ...core.errors import AwsError
from ...core.pagination import paginate
from ...core.timestamps import epoch, instant
from ...time.clock import Clock
from .errors import INVALID_TOKEN, outside_enum, validation_error
from .expressions import ExpressionError
from .metrics import Metric, MetricStore
from .query import Datapoint, MetricStat, Query, check_period, check_statistic, parse_queries
from .samples import STATISTICS, statistic

MOST_DATAPOINTS = 1440
"""Of one GetMetricStatistics."""
MOST_QUERIES = 500
PAGE_OF_DATAPOINTS = 100_800
PAGE_OF_METRICS = 500
LISTED = 14 * 86400
RECENTLY = 3 * 3600


class MetricReader:
    """A query names a metric by all of its dimensions."""

    def __init__(self, clock: Clock, store: MetricStore) -> None:
        self._clock = clock
        self._store = store

    async def get_metric_statistics(self, call: Call) -> dict[str, Any]:
        params = call.params
        simple, extended = params.get("Statistics") or [], params.get("ExtendedStatistics") or []
        if not simple and not extended:
            raise AwsError("InvalidParameterCombination", "Must specify either Statistics or ExtendedStatistics")
        if simple and extended:
            raise AwsError("InvalidParameterCombination", "Statistics and ExtendedStatistics are mutually exclusive.")
        for name in simple:
            if name not in STATISTICS:
                raise outside_enum(name, "statistics", STATISTICS)
        for name in extended:
            check_statistic(name, "ExtendedStatistics")
        period = params["Period"]
        check_period(period)
        given, end = epoch(params["StartTime"]), epoch(params["EndTime"])
        if given >= end:
            raise AwsError("InvalidParameterValue", "The parameter StartTime must be less than the parameter EndTime.")
        asked = math.ceil((end - given) / period)
        if asked > MOST_DATAPOINTS:
            raise AwsError(
                "InvalidParameterCombination",
                f"You have requested up to {asked} datapoints, which exceeds the limit of {MOST_DATAPOINTS}. "
                "You may reduce the datapoints requested by increasing Period, or decreasing the time range.",
            )
        start = _aligned(given, period)
        count = math.ceil((end - start) / period)
        datapoints: list[dict[str, Any]] = []
        for index, units in enumerate(self._store.windows_by_unit(Metric.of(params), start, period, count, end=end)):
            for unit, samples in units.items():
                if params.get("Unit") not in (None, unit):
                    continue
                point: dict[str, Any] = {"Timestamp": instant(start + index * period), "Unit": unit}
                point |= {name: STATISTICS[name](samples) for name in simple}
                if extended:
                    values = {name: statistic(name)(samples) for name in extended}
                    point["ExtendedStatistics"] = {name: value for name, value in values.items() if value is not None}
                datapoints.append(point)
        return {"Label": params["MetricName"], "Datapoints": datapoints}

    async def get_metric_data(self, call: Call) -> dict[str, Any]:
        params = call.params
        start, end = epoch(params["StartTime"]), epoch(params["EndTime"])
        if start == end:
            raise validation_error("The parameter StartTime must not equal parameter EndTime.")
        if start > end:
            raise validation_error("The parameter EndTime must be greater than StartTime.")
        described = params["MetricDataQueries"]
        if not 1 <= len(described) <= MOST_QUERIES:
            raise validation_error(
                f"The collection MetricDataQueries must have a size from 1 to {MOST_QUERIES}, got {len(described)}."
            )
        queries = parse_queries(described)
        newest_first = params.get("ScanBy", "TimestampDescending") != "TimestampAscending"
        rows: list[tuple[str, Datapoint]] = []
        labels = _labels(queries)
        wanted = [each for each in described if each.get("ReturnData", True)]
        for each in wanted:
            points = self._datapoints(each["Id"], queries[each["Id"]], start, end)
            rows.extend((each["Id"], point) for point in (reversed(points) if newest_first else points))
        size = params.get("MaxDatapoints") or PAGE_OF_DATAPOINTS
        page = paginate(rows, params.get("NextToken"), size, INVALID_TOKEN)
        later = {id for id, _ in rows[page.end :]}
        results = []
        for each in wanted:
            points = [point for id, point in page.items if id == each["Id"]]
            results.append(
                {
                    "Id": each["Id"],
                    "Label": each.get("Label") or labels[each["Id"]],
                    "Timestamps": [instant(point.time) for point in points],
                    "Values": [point.value for point in points],
                    "StatusCode": "PartialData" if each["Id"] in later else "Complete",
                }
            )
        following = {"NextToken": page.token} if page.token else {}
        return {"MetricDataResults": results, "Messages": [], **following}

    def _datapoints(self, id: str, query: Query, start: float, end: float) -> list[Datapoint]:
        aligned = _aligned(start, query.period)
        count = math.ceil((end - aligned) / query.period)
        if count > PAGE_OF_DATAPOINTS:
            raise validation_error(
                f"You have requested up to {count:,} datapoints of '{id}', which exceeds the limit of "
                f"{PAGE_OF_DATAPOINTS:,}. Increase Period, or decrease the time range."
            )
        try:
            return [point for point in query.datapoints(self._store, aligned, count, end) if point is not None]
        except ExpressionError as error:
            raise validation_error(f"Error in expression '{id}': {error}") from None

    async def list_metrics(self, call: Call) -> dict[str, Any]:
        params = call.params
        age = RECENTLY if params.get("RecentlyActive") else LISTED
        since = self._clock.now() - age
        matching = [
            {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": _dimensions(metric)}
            for metric in self._store
            if _matches(metric, params) and (self._store.latest(metric) or 0) >= since
        ]
        invalid = AwsError("InvalidParameterValue", INVALID_TOKEN.message)
        return paginate(matching, params.get("NextToken"), PAGE_OF_METRICS, invalid).answer("Metrics")


def _matches(metric: Metric, params: Mapping[str, Any]) -> bool:
    """Whether a ListMetrics filter selects the metric: dimensions that the filter does not name are ignored."""
    has = dict(metric.dimensions)
    return (
        params.get("Namespace") in (None, metric.namespace)
        and params.get("MetricName") in (None, metric.name)
        and all(
            wanted["Name"] in has and wanted.get("Value") in (None, has[wanted["Name"]])
            for wanted in params.get("Dimensions") or ()
        )
    )


def _aligned(start: float, period: int) -> int:
    """Rounded down to the minute, or to a shorter period."""
    grain = period if period < 60 else 60
    return int(start // grain * grain)


def _dimensions(metric: Metric) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in metric.dimensions]


def _labels(queries: Mapping[str, Query]) -> dict[str, str]:
    """A metric's name, with the statistic and the period where those of one metric differ; an expression's id."""
    stats = [query for query in queries.values() if isinstance(query, MetricStat)]
    labels = {}
    for id, query in queries.items():
        if not isinstance(query, MetricStat):
            labels[id] = id
            continue
        same = [each for each in stats if each.metric == query.metric]
        parts = [query.metric.name]
        parts += [query.stat] if len({each.stat for each in same}) > 1 else []
        parts += [str(query.period)] if len({each.period for each in same}) > 1 else []
        labels[id] = " ".join(parts)
    return labels
