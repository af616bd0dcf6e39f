from __future__ import annotations

import math

import pytest

from webordinary_testkit.emulation.services.cloudwatch.arithmetic import Scope, Value, evaluate
from webordinary_testkit.emulation.services.cloudwatch.expressions import ExpressionError, names, parse

SCOPE = Scope(
    series={"m1": {0: 1.0, 60: 2.0, 120: 4.0}, "m2": {60: 10.0, 120: 20.0}, "errors": {0: 1.0}},
    metrics=["m1", "m2", "errors"],
    grid=[0, 60, 120, 180],
    period=60,
)


def value(text: str) -> Value:
    return evaluate(parse(text), SCOPE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", 7.0),
        ("(1 + 2) * 3", 9.0),
        ("10 - 4 - 3", 3.0),
        ("-2 * 3", -6.0),
        ("2 ^ 3 * 2", 16.0),
        ("1 < 2 && 2 > 3", 0.0),
        ("1 < 2 OR 2 > 3", 1.0),
        ("3 != 3", 0.0),
        ("1e3 / .5", 2000.0),
        ("CEIL(1.2) + FLOOR(1.8) + ABS(-4)", 7.0),
        ("PERIOD(m1)", 60.0),
    ],
)
def test_numbers_are_reckoned_in_the_usual_order(text: str, expected: float) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("m1 * 100", {0: 100.0, 60: 200.0, 120: 400.0}),
        ("m2 / m1", {60: 5.0, 120: 5.0}),
        ("m1 > 1", {0: 0.0, 60: 1.0, 120: 1.0}),
        ("SUM([m1, m2])", {0: 1.0, 60: 12.0, 120: 24.0}),
        ("MAX(METRICS())", {0: 1.0, 60: 10.0, 120: 20.0}),
        ('SUM(METRICS("m"))', {0: 1.0, 60: 12.0, 120: 24.0}),
        ("m1 / MAX(m1)", {0: 0.25, 60: 0.5, 120: 1.0}),
        ("FILL(m2, 0)", {0: 0.0, 60: 10.0, 120: 20.0, 180: 0.0}),
        ("FILL(m2, REPEAT)", {60: 10.0, 120: 20.0, 180: 20.0}),
        ("FILL(errors, m2)", {0: 1.0, 60: 10.0, 120: 20.0}),
        ("IF(m1 > 1, m2, 0)", {0: 0.0, 60: 10.0, 120: 20.0}),
        ("IF(m1 > 1, 7)", {60: 7.0, 120: 7.0}),
        ("DIFF(m1)", {60: 1.0, 120: 2.0}),
        ("RATE(m1)", {60: 1.0 / 60, 120: 2.0 / 60}),
        ("m1 / (m1 - 1)", {60: 2.0, 120: 4.0 / 3}),
    ],
)
def test_series_are_reckoned_period_by_period(text: str, expected: dict[int, float]) -> None:
    assert value(text) == pytest.approx(expected)


def test_linear_filling_goes_straight_from_value_to_value() -> None:
    scope = Scope({"m1": {0: 0.0, 120: 10.0}}, ["m1"], [0, 60, 120], 60)
    assert evaluate(parse("FILL(m1, LINEAR)"), scope) == {0: 0.0, 60: 5.0, 120: 10.0}


def test_the_sum_of_nothing_is_not_a_number() -> None:
    assert math.isnan(float(str(evaluate(parse("MAX(m1)"), Scope({"m1": {}}, ["m1"], [], 60)))))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("m1 +", "Unexpected the end in 'm1 +'"),
        ("m1 m2", "Unexpected 'm2' in 'm1 m2'"),
        ("SUM(m1", "Unexpected the end in 'SUM(m1', expected ','"),
        ("m1 $ 2", "Unexpected character at position 3 of 'm1 $ 2'"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(text: str, complaint: str) -> None:
    with pytest.raises(ExpressionError) as error:
        parse(text)
    assert str(error.value) == complaint


def test_a_function_that_is_not_emulated_is_named_with_those_that_are() -> None:
    with pytest.raises(ExpressionError, match="SEARCH is not emulated; known are ABS, AVG"):
        value("SEARCH('{AWS/SQS}', 'Sum')")


def test_an_unknown_id_is_named() -> None:
    with pytest.raises(ExpressionError, match="'m9' is not the id of a query"):
        value("m1 + m9")


def test_the_ids_an_expression_mentions_are_found_at_any_depth() -> None:
    assert names(parse("IF(m1 > 1, SUM([m2, errors]), 0)")) == {"m1", "m2", "errors"}
