"""Step scaling: computes a capacity from a metric's distance to an alarm's threshold. Pure.

Source: "Step scaling policies for Application Auto Scaling" and the API's StepAdjustment.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

AdjustmentType = Literal["ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity"]
ADJUSTMENT_TYPES = ("ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity")
AGGREGATIONS = ("Average", "Minimum", "Maximum")
DEFAULT_COOLDOWN = 300
"""Seconds, for ECS services."""


@dataclass(frozen=True)
class Step:
    """Applies to metric values from threshold + `lower` to threshold + `upper`; None is unbounded."""

    lower: float | None
    upper: float | None
    adjustment: int

    def covers(self, delta: float, *, above: bool) -> bool:
        """Whether the step applies to a breach of `delta`. The bound nearer to the threshold is inclusive: the upper
        one below the threshold."""
        low = -math.inf if self.lower is None else self.lower
        high = math.inf if self.upper is None else self.upper
        return low <= delta < high if above else low < delta <= high


@dataclass(frozen=True)
class StepScaling:
    """A StepScalingPolicyConfiguration."""

    adjustment_type: AdjustmentType
    steps: tuple[Step, ...]
    cooldown: float = DEFAULT_COOLDOWN
    aggregation: str = "Average"
    minimum_magnitude: int = 0

    @classmethod
    def parse(cls, configuration: Mapping[str, Any]) -> StepScaling:
        """From the API's shape. Raises ValueError."""
        adjustment_type = configuration.get("AdjustmentType")
        if adjustment_type not in ADJUSTMENT_TYPES:
            raise ValueError(f"AdjustmentType must be one of {', '.join(ADJUSTMENT_TYPES)}, got {adjustment_type}")
        aggregation = configuration.get("MetricAggregationType") or "Average"
        if aggregation not in AGGREGATIONS:
            raise ValueError(f"MetricAggregationType must be one of {', '.join(AGGREGATIONS)}, got {aggregation}")
        magnitude = configuration.get("MinAdjustmentMagnitude") or 0
        if magnitude and adjustment_type != "PercentChangeInCapacity":
            raise ValueError("MinAdjustmentMagnitude is only for AdjustmentType PercentChangeInCapacity")
        cooldown = configuration.get("Cooldown")
        if cooldown is not None and cooldown < 0:
            raise ValueError(f"Cooldown must not be negative, got {cooldown}")
        steps = tuple(
            Step(each.get("MetricIntervalLowerBound"), each.get("MetricIntervalUpperBound"), each["ScalingAdjustment"])
            for each in configuration.get("StepAdjustments") or ()
        )
        _check(steps, adjustment_type)
        return cls(adjustment_type, steps, DEFAULT_COOLDOWN if cooldown is None else cooldown, aggregation, magnitude)

    def step(self, values: Sequence[float], threshold: float, *, above: bool) -> Step | None:
        """The step for an alarm triggered by these datapoints. Without any (missing data triggered it) the metric
        counts as equal to the threshold."""
        return next((step for step in self.steps if step.covers(self.delta(values, threshold), above=above)), None)

    def delta(self, values: Sequence[float], threshold: float) -> float:
        """How far the aggregated metric lies above the threshold (negative: below)."""
        if not values:
            return 0.0
        aggregated = {"Average": sum(values) / len(values), "Minimum": min(values), "Maximum": max(values)}
        return aggregated[self.aggregation] - threshold

    def capacity(self, step: Step, base: int) -> int:
        """The capacity after the step, before limits, starting from `base`."""
        if self.adjustment_type == "ExactCapacity":
            return step.adjustment
        if self.adjustment_type == "ChangeInCapacity":
            return base + step.adjustment
        return base + _percent(base, step.adjustment, self.minimum_magnitude)


def _percent(base: int, percent: int, magnitude: int) -> int:
    """Rounded towards zero, but at least one task and at least the policy's minimum magnitude."""
    change = base * percent / 100
    size = max(math.floor(abs(change)), 1 if change else 0, magnitude)
    return -size if percent < 0 else size


def _check(steps: Sequence[Step], adjustment_type: AdjustmentType) -> None:
    if not steps:
        raise ValueError("At least one StepAdjustment must be specified")
    if adjustment_type == "ExactCapacity" and any(step.adjustment < 0 for step in steps):
        raise ValueError("ScalingAdjustment must not be negative for AdjustmentType ExactCapacity")
    for step in steps:
        if step.lower is None and step.upper is None:
            raise ValueError("A StepAdjustment must have a MetricIntervalLowerBound or a MetricIntervalUpperBound")
        if step.lower is not None and step.upper is not None and step.lower >= step.upper:
            raise ValueError("MetricIntervalLowerBound must be less than MetricIntervalUpperBound")
    ordered = sorted(steps, key=lambda step: -math.inf if step.lower is None else step.lower)
    for one, following in pairwise(ordered):
        if one.upper is None or following.lower is None or one.upper > following.lower:
            raise ValueError("StepAdjustment intervals can't overlap")
        if one.upper < following.lower:
            raise ValueError("There can't be a gap between the StepAdjustment intervals")
    first, last = ordered[0], ordered[-1]
    if first.lower is not None and first.lower < 0:
        raise ValueError("A StepAdjustment with a negative lower bound needs one with no lower bound below it")
    if last.upper is not None and last.upper > 0:
        raise ValueError("A StepAdjustment with a positive upper bound needs one with no upper bound above it")
