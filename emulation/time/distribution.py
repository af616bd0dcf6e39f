"""Distributions of delays, in AWS seconds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Protocol

_P95 = NormalDist().inv_cdf(0.95)


class Distribution(Protocol):
    def quantile(self, share: float) -> float:
        """The seconds that this share (0 to 1, exclusive) of the delays does not exceed."""
        ...


@dataclass(frozen=True)
class Constant:
    seconds: float

    def quantile(self, share: float) -> float:
        return self.seconds


@dataclass(frozen=True)
class Uniform:
    low: float
    high: float

    def quantile(self, share: float) -> float:
        return self.low + (self.high - self.low) * share


@dataclass(frozen=True)
class Lognormal:
    """Given by two quantiles, as measurements are published."""

    p50: float
    p95: float

    def quantile(self, share: float) -> float:
        sigma = math.log(self.p95 / self.p50) / _P95
        return self.p50 * math.exp(sigma * NormalDist().inv_cdf(share))


def parse(given: Mapping[str, Any]) -> Distribution:
    """The distribution in a profile's line: `constant = 2`, `uniform = [0, 60]` or `lognormal = { p50 = 2, p95 = 5 }`.

    Raises ValueError.
    """
    kinds = [kind for kind in _KINDS if kind in given]
    if len(kinds) != 1:
        raise ValueError(f"it needs exactly one of {', '.join(_KINDS)}, got {', '.join(kinds) or 'none'}")
    return _KINDS[kinds[0]](given[kinds[0]])


def _constant(value: Any) -> Constant:
    if not _is_seconds(value):
        raise ValueError(f"constant must be seconds of 0 or more, got {value!r}")
    return Constant(float(value))


def _uniform(value: Any) -> Uniform:
    ends = value if isinstance(value, list) and all(map(_is_seconds, value)) else []
    if len(ends) != 2 or ends[0] > ends[1]:
        raise ValueError(f"uniform must be [lowest, highest] seconds, got {value!r}")
    return Uniform(*map(float, ends))


def _lognormal(value: Any) -> Lognormal:
    ends: list[Any] = [value["p50"], value["p95"]] if isinstance(value, dict) and value.keys() == {"p50", "p95"} else []
    if not ends or not all(map(_is_seconds, ends)) or not 0 < ends[0] <= ends[1]:
        raise ValueError(f"lognormal must be {{ p50 = seconds, p95 = seconds }} with 0 < p50 <= p95, got {value!r}")
    return Lognormal(float(ends[0]), float(ends[1]))


def _is_seconds(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf


_KINDS: Mapping[str, Callable[[Any], Distribution]] = {
    "constant": _constant,
    "uniform": _uniform,
    "lognormal": _lognormal,
}
