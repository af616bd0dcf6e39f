"""The sentences are those of real CloudWatch, as accounts have published them; only the figures are ours."""

from __future__ import annotations

import json

import pytest

from webordinary_testkit.emulation.services.cloudwatch.evaluation import Missing, Rule, evaluate
from webordinary_testkit.emulation.services.cloudwatch.query import Datapoint, Window
from webordinary_testkit.emulation.services.cloudwatch.reasons import reason, reason_data, recent_values

START = 1795334460  # 2026-11-22T08:01:00Z


def window(*values: float | None, period: int = 60) -> Window:
    points = [None if value is None else Datapoint(START + at * period, value, 2.0) for at, value in enumerate(values)]
    return Window(START, period, tuple(points))


def sentence(
    values: list[float | None],
    comparison: str = "GreaterThanOrEqualToThreshold",
    threshold: float = 1.0,
    *,
    periods: int = 1,
    datapoints: int | None = None,
    missing: Missing = "missing",
) -> str:
    rule = Rule(comparison, threshold, periods, datapoints or periods, missing)
    seen = window(*values)
    verdict = evaluate(seen.values, rule)
    assert verdict.state is not None
    return reason(seen, verdict, verdict.state, rule, m_of_n=datapoints is not None)


def test_one_breaching_value_is_told_with_its_time() -> None:
    assert sentence([None, None, 1.0]) == (
        "Threshold Crossed: 1 datapoint [1.0 (22/11/26 08:03:00)] was greater than or equal to the threshold (1.0)."
    )


def test_coming_back_is_told_as_not_crossing() -> None:
    assert sentence([None, 5.0, 0.0]) == (
        "Threshold Crossed: 1 datapoint [0.0 (22/11/26 08:03:00)] was not greater than or equal to the threshold (1.0)."
    )


def test_an_alarm_with_datapoints_to_alarm_says_how_many_it_needs() -> None:
    assert sentence([0.0, 0.0, 8.0, 9.5, 9.72], "GreaterThanThreshold", 7.0, periods=3, datapoints=3) == (
        "Threshold Crossed: 3 out of the last 3 datapoints [9.72 (22/11/26 08:05:00), 9.5 (22/11/26 08:04:00), "
        "8.0 (22/11/26 08:03:00)] were greater than the threshold (7.0) "
        "(minimum 3 datapoints for OK -> ALARM transition)."
    )


def test_on_the_way_back_an_m_of_n_alarm_needs_the_rest_and_one() -> None:
    assert sentence([None, None, 8.0, 0.5], "GreaterThanThreshold", 7.0, periods=2, datapoints=2) == (
        "Threshold Crossed: 1 out of the last 2 datapoints [0.5 (22/11/26 08:04:00)] was not greater than the "
        "threshold (7.0) (minimum 1 datapoint for ALARM -> OK transition)."
    )


def test_many_values_are_told_by_the_five_most_recent() -> None:
    assert sentence([0.0] * 8, "LessThanThreshold", 31.5, periods=6) == (
        "Threshold Crossed: 6 datapoints were less than the threshold (31.5). The most recent datapoints which "
        "crossed the threshold: [0.0 (22/11/26 08:08:00), 0.0 (22/11/26 08:07:00), 0.0 (22/11/26 08:06:00), "
        "0.0 (22/11/26 08:05:00), 0.0 (22/11/26 08:04:00)]."
    )


def test_silence_that_counts_as_a_breach_says_so() -> None:
    assert sentence([None] * 4, periods=2, missing="breaching") == (
        "Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as "
        "[Breaching]."
    )


def test_silence_that_counts_as_good_says_so_in_the_singular() -> None:
    assert sentence([None] * 3, missing="notBreaching") == (
        "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as "
        "[NonBreaching]."
    )


def test_a_good_value_among_missing_ones_that_count_as_bad() -> None:
    values = [None] * 9 + [2.0]
    assert sentence(values, "LessThanOrEqualToThreshold", 0.0, periods=8, missing="breaching") == (
        "Threshold Crossed: 1 datapoint [2.0 (22/11/26 08:10:00)] was not less than or equal to the threshold (0.0) "
        "and 7 missing datapoints were treated as [Breaching]."
    )


def test_missing_values_alone_can_tip_the_balance() -> None:
    assert sentence(
        [None, None, None, 0.0, None],
        "GreaterThanThreshold",
        0.0,
        periods=3,
        datapoints=2,
        missing="breaching",
    ) == (
        "Threshold Crossed: 1 datapoint was received for 3 periods and 2 missing datapoints were treated as "
        "[Breaching]."
    )


@pytest.mark.parametrize(("periods", "words"), [(1, "1 datapoint was"), (3, "3 datapoints were")])
def test_silence_without_a_treatment_is_insufficient_data(periods: int, words: str) -> None:
    assert sentence([None] * (periods + 2), periods=periods) == f"Insufficient Data: {words} unknown."


@pytest.mark.parametrize(
    ("value", "words"), [(12500000.0, "1.25E7"), (0.0001, "1.0E-4"), (-2.0, "-2.0"), (99999999.5, "9.99999995E7")]
)
def test_numbers_are_written_as_java_writes_them(value: float, words: str) -> None:
    assert f"[{words} (" in sentence([None, None, value], "GreaterThanThreshold", -1e9)


def test_the_data_beside_the_sentence_holds_what_was_evaluated() -> None:
    seen, rule = window(None, 0.5, 3.0), Rule("GreaterThanThreshold", 1.0)
    text = reason_data(seen, evaluate(seen.values, rule), rule, now=START + 200.5, statistic="Average", unit="Seconds")
    assert json.loads(text) == {
        "version": "1.0",
        "queryDate": "2026-11-22T08:04:20.500+0000",
        "startDate": "2026-11-22T08:03:00.000+0000",
        "unit": "Seconds",
        "statistic": "Average",
        "period": 60,
        "recentDatapoints": [3.0],
        "threshold": 1.0,
        "evaluatedDatapoints": [{"timestamp": "2026-11-22T08:03:00.000+0000", "sampleCount": 2.0, "value": 3.0}],
    }


def test_of_periods_without_data_only_the_time_is_told() -> None:
    seen, rule = window(None, None, None, None), Rule("GreaterThanThreshold", 2.0, 2, 2, "breaching")
    told_data = json.loads(
        reason_data(seen, evaluate(seen.values, rule), rule, now=START + 240, statistic="Sum", unit=None)
    )
    assert "startDate" not in told_data
    assert told_data["recentDatapoints"] == []
    assert told_data["evaluatedDatapoints"] == [
        {"timestamp": "2026-11-22T08:04:00.000+0000"},
        {"timestamp": "2026-11-22T08:03:00.000+0000"},
    ]


def test_recent_values_are_read_back_from_the_data() -> None:
    assert recent_values('{"recentDatapoints":[1.0,2.0]}') == (1.0, 2.0)
    assert recent_values(None) == ()
    assert recent_values('["no"]') == ()
