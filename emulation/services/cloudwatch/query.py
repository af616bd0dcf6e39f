"""Metric queries: a statistic of one metric, or an expression over several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from .arithmetic import FUNCTIONS, OPERATORS, Scope, Series, evaluate
from .errors import validation_error
from .expressions import ExpressionError, Node, functions, names, parse
from .metrics import Metric, MetricStore
from .samples import statistic

PERIODS_BELOW_A_MINUTE = (1, 5, 10, 20, 30)


@dataclass(frozen=True)
class Datapoint:
    """The value of one period; `time` is its start (AWS epoch seconds)."""

    time: int
    value: float
    sample_count: float | None = None
    """None for an expression."""


@dataclass(frozen=True)
class Window:
    """Consecutive periods, oldest first."""

    start: int
    period: int
    points: tuple[Datapoint | None, ...]

    @property
    def values(self) -> list[float | None]:
        return [None if point is None else point.value for point in self.points]

    def at(self, positions: Iterable[int]) -> list[Datapoint]:
        """The datapoints at these positions that have data."""
        return [point for position in positions if (point := self.points[position]) is not None]

    def gaps(self) -> list[int]:
        """The starts of the periods without data, newest first."""
        return [self.start + at * self.period for at in reversed(range(len(self.points))) if self.points[at] is None]


class Query(Protocol):
    """Yields one value a period."""

    @property
    def period(self) -> int:
        """Seconds."""
        ...

    @property
    def metrics(self) -> frozenset[Metric]:
        """The metrics it reads."""
        ...

    def datapoints(self, store: MetricStore, start: int, count: int, end: float) -> list[Datapoint | None]:
        """The values of `count` periods from `start` on, oldest first, using data before `end`; None for a period
        without data. Raises `ExpressionError`."""
        ...


@dataclass(frozen=True)
class MetricStat:
    """One statistic of one metric."""

    metric: Metric
    stat: str
    period: int
    unit: str | None = None

    @classmethod
    def parse(cls, described: Mapping[str, Any]) -> MetricStat:
        """From the API's `MetricStat`."""
        return cls(Metric.of(described["Metric"]), described["Stat"], described["Period"], described.get("Unit"))

    @property
    def metrics(self) -> frozenset[Metric]:
        return frozenset((self.metric,))

    def datapoints(self, store: MetricStore, start: int, count: int, end: float) -> list[Datapoint | None]:
        of = statistic(self.stat)
        result: list[Datapoint | None] = []
        for index, samples in enumerate(store.windows(self.metric, start, self.period, count, unit=self.unit, end=end)):
            value = of(samples) if samples is not None else None
            time = start + index * self.period
            result.append(Datapoint(time, value, samples.count) if samples is not None and value is not None else None)
        return result


@dataclass(frozen=True)
class Expression:
    """Metric math over other queries of the same request."""

    text: str
    tree: Node
    others: Mapping[str, Query]
    period: int

    @property
    def metrics(self) -> frozenset[Metric]:
        return frozenset().union(*(query.metrics for query in self.others.values()))

    def datapoints(self, store: MetricStore, start: int, count: int, end: float) -> list[Datapoint | None]:
        grid = [start + index * self.period for index in range(count)]
        series: dict[str, Series] = {}
        for id, query in self.others.items():
            points = query.datapoints(store, start, count, end)
            series[id] = {point.time: point.value for point in points if point is not None}
        plain = [id for id, query in self.others.items() if isinstance(query, MetricStat)]
        value = evaluate(self.tree, Scope(series, plain, grid, self.period))
        if not isinstance(value, dict):
            raise ExpressionError(f"'{self.text}' yields no single time series")
        return [Datapoint(time, value[time]) if time in value else None for time in grid]


def parse_queries(queries: Sequence[Mapping[str, Any]]) -> dict[str, Query]:
    """`MetricDataQueries` (or an alarm's `Metrics`) by id, in order. Raises CloudWatch's `AwsError`."""
    result: dict[str, Query] = {}
    for number, described in enumerate(queries, 1):
        where = f"MetricDataQueries.member.{number}"
        if ("MetricStat" in described) == ("Expression" in described):
            raise validation_error(f"Exactly one of {where}.MetricStat and {where}.Expression must be specified.")
        if described["Id"] in result:
            raise validation_error(
                f"The values for parameter id in MetricDataQueries are not unique: {described['Id']}"
            )
        if "MetricStat" in described:
            if "Period" in described:
                raise validation_error(
                    f"The parameters {where}.Period and {where}.MetricStat are mutually exclusive "
                    "and you have specified both."
                )
            stat = MetricStat.parse(described["MetricStat"])
            check_statistic(stat.stat, f"{where}.MetricStat.Stat")
            check_period(stat.period)
            result[described["Id"]] = stat
    for described in queries:
        if "Expression" in described:
            result[described["Id"]] = _expression(described, result)
    return {described["Id"]: result[described["Id"]] for described in queries}


def check_period(period: int) -> None:
    """Raise an `AwsError` for a period CloudWatch does not have."""
    if period not in PERIODS_BELOW_A_MINUTE and (period < 60 or period % 60):
        raise validation_error(
            f"The parameter Period must be a value in the set {list(PERIODS_BELOW_A_MINUTE)} or a multiple of 60, "
            f"got {period}"
        )


def check_statistic(name: str, parameter: str) -> None:
    """Raise an `AwsError` for a statistic that does not exist or is not emulated."""
    try:
        statistic(name)
    except KeyError:
        raise validation_error(
            f"The value {name} for parameter {parameter} is not supported. Emulated are SampleCount, Average, Sum, "
            "Minimum, Maximum and percentiles from p0 to p100."
        ) from None


def _expression(described: Mapping[str, Any], known: Mapping[str, Query]) -> Expression:
    where = f"Error in expression '{described['Id']}'"
    try:
        tree = parse(described["Expression"])
    except ExpressionError as error:
        raise validation_error(f"{where}: {error}") from None
    if unheard := functions(tree) - FUNCTIONS.keys() - OPERATORS.keys():
        known_ones = ", ".join(sorted(FUNCTIONS))
        raise validation_error(f"{where}: {', '.join(sorted(unheard))} is not emulated; known are {known_ones}")
    mentioned = names(tree) - {"REPEAT", "LINEAR"}
    if unknown := mentioned - known.keys():
        raise validation_error(
            f"{where}: unknown id {', '.join(sorted(unknown))}; an expression can use the metrics of its request and "
            "the expressions before it"
        )
    everything = "METRICS" in functions(tree)
    others = {id: query for id, query in known.items() if everything or id in mentioned}
    periods = {query.period for query in others.values()} or {described.get("Period", 60)}
    if len(periods) > 1:
        raise validation_error(
            f"{where}: metrics of different periods {sorted(periods)} in one expression are not emulated"
        )
    return Expression(described["Expression"], tree, others, periods.pop())
