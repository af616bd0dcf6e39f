from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from webordinary_testkit.emulation.services.application_autoscaling.capacity import Bounds, NotScaledReason, decide
from webordinary_testkit.emulation.services.application_autoscaling.steps import Step, StepScaling

FOLLOW_SESSIONS = StepScaling("ExactCapacity", (Step(0, 2, 1), Step(2, None, 3)))
SCALE_IN = StepScaling("ChangeInCapacity", (Step(None, -10, -2), Step(-10, 0, -1)))


def adjustment(policy: StepScaling, values: list[float], threshold: float, *, above: bool) -> int | None:
    step = policy.step(values, threshold, above=above)
    return None if step is None else step.adjustment


@pytest.mark.parametrize(("sessions", "tasks"), [(1, 1), (2, 1), (2.9, 1), (3, 3), (50, 3)])
def test_above_the_threshold_a_step_begins_with_its_lower_bound(sessions: float, tasks: int) -> None:
    assert adjustment(FOLLOW_SESSIONS, [sessions], 1, above=True) == tasks


@pytest.mark.parametrize(("value", "change"), [(49, -1), (50, -1), (40.1, -1), (40, -2), (0, -2)])
def test_below_the_threshold_a_step_begins_with_its_upper_bound(value: float, change: int) -> None:
    assert adjustment(SCALE_IN, [value], 50, above=False) == change


def test_a_breach_outside_every_step_has_none() -> None:
    assert adjustment(StepScaling("ChangeInCapacity", (Step(0, None, 1),)), [0], 1, above=True) is None


def test_missing_data_counts_as_lying_at_the_threshold() -> None:
    to_zero = StepScaling("ExactCapacity", (Step(None, 0, 0),))
    assert adjustment(to_zero, [], 1, above=False) == 0
    assert adjustment(FOLLOW_SESSIONS, [], 1, above=True) == 1


@pytest.mark.parametrize(("aggregation", "tasks"), [("Minimum", 1), ("Average", 1), ("Maximum", 3)])
def test_several_datapoints_are_aggregated_as_the_policy_says(aggregation: str, tasks: int) -> None:
    policy = StepScaling("ExactCapacity", FOLLOW_SESSIONS.steps, aggregation=aggregation)
    assert adjustment(policy, [1, 1, 4], 1, above=True) == tasks


@pytest.mark.parametrize(
    ("base", "percent", "magnitude", "capacity"),
    [
        (10, 25, 0, 12),
        (10, -25, 0, 8),
        (4, 10, 0, 5),
        (4, -10, 0, 3),
        (4, 25, 2, 6),
        (4, -25, 2, 2),
        (0, 100, 0, 0),
        (10, 0, 0, 10),
    ],
)
def test_percentages_are_rounded_towards_zero_but_move_at_least_the_magnitude(
    base: int, percent: int, magnitude: int, capacity: int
) -> None:
    policy = StepScaling("PercentChangeInCapacity", (Step(0, None, percent),), minimum_magnitude=magnitude)
    assert policy.capacity(policy.steps[0], base) == capacity


@pytest.mark.parametrize(
    ("configuration", "complaint"),
    [
        ({}, "AdjustmentType must be one of ChangeInCapacity, PercentChangeInCapacity, ExactCapacity, got None"),
        ({"AdjustmentType": "ChangeInCapacity"}, "At least one StepAdjustment must be specified"),
        (
            {"AdjustmentType": "ChangeInCapacity", "StepAdjustments": [{"ScalingAdjustment": 1}]},
            "A StepAdjustment must have a MetricIntervalLowerBound or a MetricIntervalUpperBound",
        ),
        (
            {
                "AdjustmentType": "ExactCapacity",
                "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": -1}],
            },
            "ScalingAdjustment must not be negative for AdjustmentType ExactCapacity",
        ),
        (
            {
                "AdjustmentType": "ChangeInCapacity",
                "StepAdjustments": [
                    {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 3, "ScalingAdjustment": 1},
                    {"MetricIntervalLowerBound": 2, "ScalingAdjustment": 2},
                ],
            },
            "StepAdjustment intervals can't overlap",
        ),
        (
            {
                "AdjustmentType": "ChangeInCapacity",
                "StepAdjustments": [
                    {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 2, "ScalingAdjustment": 1},
                    {"MetricIntervalLowerBound": 3, "ScalingAdjustment": 2},
                ],
            },
            "There can't be a gap between the StepAdjustment intervals",
        ),
        (
            {
                "AdjustmentType": "ChangeInCapacity",
                "StepAdjustments": [
                    {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 2, "ScalingAdjustment": 1}
                ],
            },
            "A StepAdjustment with a positive upper bound needs one with no upper bound above it",
        ),
        (
            {
                "AdjustmentType": "ChangeInCapacity",
                "StepAdjustments": [{"MetricIntervalLowerBound": -5, "ScalingAdjustment": 1}],
            },
            "A StepAdjustment with a negative lower bound needs one with no lower bound below it",
        ),
        (
            {
                "AdjustmentType": "ChangeInCapacity",
                "MinAdjustmentMagnitude": 2,
                "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
            },
            "MinAdjustmentMagnitude is only for AdjustmentType PercentChangeInCapacity",
        ),
    ],
)
def test_a_configuration_that_aws_refuses_is_refused_with_the_reason(
    configuration: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ValueError) as error:
        StepScaling.parse(configuration)
    assert str(error.value) == complaint


def test_the_default_cooldown_of_ecs_services_is_five_minutes() -> None:
    steps = [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}]
    assert StepScaling.parse({"AdjustmentType": "ExactCapacity", "StepAdjustments": steps}).cooldown == 300
    assert StepScaling.parse({"AdjustmentType": "ExactCapacity", "Cooldown": 0, "StepAdjustments": steps}).cooldown == 0


@given(
    st.lists(st.integers(-20, 20), min_size=1, max_size=4, unique=True),
    st.integers(-30, 30),
    st.booleans(),
)
def test_steps_without_gaps_leave_no_breach_out_and_cover_none_twice(edges: list[int], delta: int, above: bool) -> None:
    bounds = [None, *sorted(edges), None]
    steps = [Step(low, high, at) for at, (low, high) in enumerate(pairwise(bounds))]
    policy = StepScaling("ChangeInCapacity", tuple(steps))
    covering = [step for step in steps if step.covers(delta, above=above)]
    assert covering == [policy.step([delta], 0, above=above)]


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.booleans())
def test_scaling_out_only_adds_and_scaling_in_only_takes_within_the_bounds(
    wanted: int, desired: int, low: int, high: int, out: bool
) -> None:
    assume(low <= high)
    decision = decide(wanted, out=out, desired=desired, bounds=Bounds(low, high))
    if isinstance(decision, NotScaledReason):
        nearest = min(range(low, high + 1), key=lambda count: abs(count - wanted))
        assert nearest <= desired if out else nearest >= desired
    else:
        assert low <= decision <= high
        assert decision > desired if out else decision < desired


@pytest.mark.parametrize(
    ("wanted", "out", "desired", "reason"),
    [
        (9, True, 3, {"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 3}),
        (0, False, 1, {"Code": "AlreadyAtMinCapacity", "MinCapacity": 1}),
        (2, True, 2, {"Code": "AlreadyAtDesiredCapacity", "CurrentCapacity": 2}),
    ],
)
def test_doing_nothing_has_aws_s_reason(wanted: int, out: bool, desired: int, reason: dict[str, Any]) -> None:
    decision = decide(wanted, out=out, desired=desired, bounds=Bounds(1, 3))
    assert isinstance(decision, NotScaledReason)
    assert decision.describe() == reason
