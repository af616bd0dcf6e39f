"""Evaluates an alarm: from the values of a few periods to a state. Pure.

After "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data" of the CloudWatch user
guide. For N evaluation periods CloudWatch retrieves N + 2 (the guide's example, and what alarm histories of real
accounts show), so that late data and gaps do not make alarms flap.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
Missing = Literal["missing", "ignore", "breaching", "notBreaching"]

EXTRA_PERIODS = 2
"""How many periods more than EvaluationPeriods the evaluation range has."""

COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
"""By name: the comparison and its wording in a state reason."""


@dataclass(frozen=True)
class Rule:
    """An alarm is in ALARM when `datapoints` of `periods` (M out of N) breach `threshold`."""

    comparison: str
    threshold: float
    periods: int = 1
    datapoints: int = 1
    missing: Missing = "missing"

    @property
    def range(self) -> int:
        """The number of periods in the evaluation range."""
        return self.periods + EXTRA_PERIODS

    def breaches(self, value: float) -> bool:
        return COMPARISONS[self.comparison][0](value, self.threshold)


@dataclass(frozen=True)
class Verdict:
    """The result of an evaluation."""

    state: State | None
    """None: the alarm keeps its state."""
    considered: tuple[int, ...] = ()
    """The positions of the values that counted, newest first."""
    filled: int = 0
    """How many missing values the rule's treatment replaced."""


def evaluate(values: Sequence[float | None], rule: Rule) -> Verdict:
    """The verdict on the newest `rule.range` periods, oldest first; None is a period without data."""
    real = tuple(position for position in reversed(range(len(values))) if values[position] is not None)
    if len(real) >= rule.periods:
        newest = real[: rule.periods]
        return Verdict("ALARM" if _breaching(values, newest, rule) >= rule.datapoints else "OK", newest)
    filled = rule.periods - len(real)
    return Verdict(_with_gaps(values, real, filled, rule), real, filled)


def _with_gaps(values: Sequence[float | None], real: tuple[int, ...], filled: int, rule: Rule) -> State | None:
    breaching = _breaching(values, real, rule)
    if rule.missing == "breaching":
        return "ALARM" if breaching + filled >= rule.datapoints else "OK"
    if rule.missing == "notBreaching":
        return "ALARM" if breaching >= rule.datapoints else "OK"
    if not real:
        return "INSUFFICIENT_DATA" if rule.missing == "missing" else None
    if breaching >= rule.datapoints:
        return "ALARM"
    if breaching < len(real):
        return "OK"
    # All values breach, but there are too few of them. The missing values after them count as breaching only when
    # the oldest value is as old as an alarm needs ("premature alarm state").
    age_of_oldest = len(values) - real[-1]
    return "ALARM" if rule.missing == "missing" and age_of_oldest >= rule.datapoints else None


def _breaching(values: Sequence[float | None], positions: Sequence[int], rule: Rule) -> int:
    return sum(1 for position in positions if (value := values[position]) is not None and rule.breaches(value))
