from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webordinary_testkit.emulation.services.cloudwatch.evaluation import (
    COMPARISONS,
    EXTRA_PERIODS,
    Missing,
    Rule,
    evaluate,
)

THREE_OF_THREE = [
    ("0 - X - X", "OK", "OK", "OK", "OK"),
    ("0 - - - -", "OK", "OK", "OK", "OK"),
    ("- - - - -", "INSUFFICIENT_DATA", None, "ALARM", "OK"),
    ("0 X X - X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("- - X - -", "ALARM", None, "ALARM", "OK"),
]
TWO_OF_THREE = [
    ("0 - X - X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("0 0 X 0 X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("0 - X - -", "OK", "OK", "ALARM", "OK"),
    ("- - - - 0", "OK", "OK", "ALARM", "OK"),
    ("- - - X -", "ALARM", None, "ALARM", "OK"),
]
TREATMENTS: tuple[Missing, ...] = ("missing", "ignore", "breaching", "notBreaching")


def rule(periods: int, datapoints: int, missing: Missing) -> Rule:
    return Rule("GreaterThanThreshold", 5, periods, datapoints, missing)


def values(drawing: str) -> list[float | None]:
    return [{"-": None, "0": 0.0, "X": 9.0}[sign] for sign in drawing.split()]


def guide() -> list[tuple[str, int, Missing, str | None]]:
    return [
        (row[0], datapoints, treatment, row[1 + column])
        for datapoints, table in ((3, THREE_OF_THREE), (2, TWO_OF_THREE))
        for row in table
        for column, treatment in enumerate(TREATMENTS)
    ]


@pytest.mark.parametrize(("drawing", "datapoints", "treatment", "state"), guide())
def test_every_row_of_the_user_guide_s_tables_holds(
    drawing: str, datapoints: int, treatment: Missing, state: str | None
) -> None:
    assert evaluate(values(drawing), rule(3, datapoints, treatment)).state == state


@pytest.mark.parametrize("drawing", ["- - - - X", "- - - X -"])
def test_one_fresh_breach_after_silence_does_not_raise_an_alarm_that_needs_three(drawing: str) -> None:
    assert evaluate(values(drawing), rule(3, 3, "missing")).state is None


def test_an_alarm_of_one_period_goes_by_the_newest_value_there_is() -> None:
    assert evaluate(values("0 X -"), rule(1, 1, "notBreaching")).state == "ALARM"
    assert evaluate(values("X - 0"), rule(1, 1, "breaching")).state == "OK"


def test_the_evaluation_range_is_two_periods_longer_than_the_evaluation_periods() -> None:
    assert rule(3, 3, "missing").range == 5


def test_the_verdict_names_the_values_that_counted_newest_first() -> None:
    verdict = evaluate(values("X X - 0 X"), rule(3, 3, "missing"))
    assert (verdict.considered, verdict.filled) == ((4, 3, 1), 0)


def test_the_verdict_counts_how_many_missing_values_had_to_be_filled() -> None:
    verdict = evaluate(values("- - 0 - -"), rule(3, 3, "breaching"))
    assert (verdict.considered, verdict.filled) == ((2,), 2)


@pytest.mark.parametrize(
    ("comparison", "breaching"),
    [
        ("GreaterThanOrEqualToThreshold", [False, True, True]),
        ("GreaterThanThreshold", [False, False, True]),
        ("LessThanThreshold", [True, False, False]),
        ("LessThanOrEqualToThreshold", [True, True, False]),
    ],
)
def test_each_comparison_treats_the_threshold_itself_as_its_name_says(comparison: str, breaching: list[bool]) -> None:
    assert [Rule(comparison, 1.0).breaches(value) for value in (0.5, 1.0, 1.5)] == breaching


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[float | None], Rule]:
    periods = draw(st.integers(1, 6))
    made = Rule(
        draw(st.sampled_from(sorted(COMPARISONS))),
        draw(st.sampled_from([0.0, 1.0])),
        periods,
        draw(st.integers(1, periods)),
        draw(st.sampled_from(TREATMENTS)),
    )
    length = periods + EXTRA_PERIODS
    return draw(st.lists(st.sampled_from([None, 0.0, 1.0, 2.0]), min_size=length, max_size=length)), made


def model(data: list[float | None], made: Rule) -> str | None:
    """The guide once more, as a reader would count it with a pencil: on a string of X, 0 and -."""
    drawing = "".join("-" if value is None else "X" if made.breaches(value) else "0" for value in data)
    known = drawing.replace("-", "")
    gaps = max(0, made.periods - len(known))
    counted = known[-made.periods :] + {"breaching": "X", "notBreaching": "0"}.get(made.missing, "-") * gaps
    if counted.count("X") >= made.datapoints:
        return "ALARM"
    if "0" in counted:
        return "OK"
    if made.missing == "ignore":
        return None
    if not known:
        return "INSUFFICIENT_DATA"
    return "ALARM" if "X" in drawing[: len(drawing) - made.datapoints + 1] else None


@given(cases())
def test_any_data_gives_the_state_the_user_guide_gives(case: tuple[list[float | None], Rule]) -> None:
    data, made = case
    assert evaluate(data, made).state == model(data, made)


@given(cases())
def test_treatments_do_not_matter_when_enough_real_values_are_there(case: tuple[list[float | None], Rule]) -> None:
    data, made = case
    if sum(value is not None for value in data) >= made.periods:
        states = {
            evaluate(data, Rule(made.comparison, made.threshold, made.periods, made.datapoints, treatment)).state
            for treatment in TREATMENTS
        }
        assert len(states) == 1
