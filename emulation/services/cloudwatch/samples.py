"""Aggregated metric values, and the statistics computed from them."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce

_PERCENTILE = re.compile(r"p(\d{1,3}(?:\.\d{1,10})?)")


@dataclass
class Samples:
    """A set of values, aggregated as CloudWatch does.

    `values` counts how often each value occurred. It is None when only a StatisticSet was published: CloudWatch has
    no percentiles of such data.
    """

    count: float
    total: float
    minimum: float
    maximum: float
    values: dict[float, float] | None = None

    @classmethod
    def of(cls, values: Sequence[float], counts: Sequence[float] | None = None) -> Samples:
        """From at least one value; `counts` defaults to 1 each."""
        tally: dict[float, float] = {}
        for value, count in zip(values, counts or [1.0] * len(values), strict=True):
            tally[value] = tally.get(value, 0.0) + count
        return cls(
            count=sum(tally.values()),
            total=sum(value * count for value, count in tally.items()),
            minimum=min(tally),
            maximum=max(tally),
            values=tally,
        )

    def __add__(self, other: Samples) -> Samples:
        return Samples(
            count=self.count + other.count,
            total=self.total + other.total,
            minimum=min(self.minimum, other.minimum),
            maximum=max(self.maximum, other.maximum),
            values=_joined(self.values, other.values),
        )

    def percentile(self, percent: float) -> float | None:
        """The smallest value that is no less than `percent` of the values; None when it is unknown."""
        if self.values is None:
            return self.minimum if self.minimum == self.maximum else None
        rank, count = self.count * percent / 100, 0.0
        for value in sorted(self.values):
            count += self.values[value]
            if count >= rank:
                return value
        return self.maximum


def merged(parts: Iterable[Samples]) -> Samples | None:
    """All parts as one set; None when there are none."""
    parts = list(parts)
    return reduce(operator.add, parts) if parts else None


Statistic = Callable[[Samples], float | None]

STATISTICS: dict[str, Statistic] = {
    "SampleCount": lambda samples: samples.count,
    "Sum": lambda samples: samples.total,
    "Average": lambda samples: samples.total / samples.count if samples.count else None,
    "Minimum": lambda samples: samples.minimum,
    "Maximum": lambda samples: samples.maximum,
}


def statistic(name: str) -> Statistic:
    """A simple statistic or a percentile (`p0` to `p100`) by name. Raises KeyError."""
    if name in STATISTICS:
        return STATISTICS[name]
    percent = percentile_of(name)
    if percent is None:
        raise KeyError(name)
    return lambda samples: samples.percentile(percent)


def percentile_of(name: str) -> float | None:
    """90.5 for "p90.5"; None for a name that is no percentile."""
    match = _PERCENTILE.fullmatch(name)
    return float(match[1]) if match and float(match[1]) <= 100 else None


def _joined(one: dict[float, float] | None, other: dict[float, float] | None) -> dict[float, float] | None:
    if one is None or other is None:
        return None
    tally = dict(one)
    for value, count in other.items():
        tally[value] = tally.get(value, 0.0) + count
    return tally
