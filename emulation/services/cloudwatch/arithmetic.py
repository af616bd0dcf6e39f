"""Computes metric math expressions.

The subset: + - * / ^, comparisons, AND, OR, and the functions of `FUNCTIONS`; any other function is an error.
"""

from __future__ import annotations

import math
import operator
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from .expressions import Array, Call, ExpressionError, Name, Node

Series = dict[int, float]
"""Values by the start of their period (AWS epoch seconds)."""
Value = float | Series | list[Series] | str


@dataclass(frozen=True)
class Scope:
    """The input of an expression."""

    series: Mapping[str, Series]
    """By query id."""
    metrics: Sequence[str]
    """The ids that METRICS() returns: those of metrics, not of expressions."""
    grid: Sequence[int]
    """The starts of all periods requested, which FILL fills."""
    period: int


def evaluate(node: Node, scope: Scope) -> Value:
    """The value of the tree. Raises `ExpressionError`."""
    if isinstance(node, Name):
        if node.id in ("REPEAT", "LINEAR"):
            return node.id
        if node.id not in scope.series:
            raise ExpressionError(f"'{node.id}' is not the id of a query")
        return scope.series[node.id]
    if isinstance(node, Array):
        return [_series(evaluate(item, scope), "an array") for item in node.items]
    if isinstance(node, Call):
        arguments = [evaluate(argument, scope) for argument in node.arguments]
        if node.function in OPERATORS:
            return _pairwise(OPERATORS[node.function], arguments[0], arguments[1])
        function = FUNCTIONS.get(node.function)
        if function is None:
            raise ExpressionError(f"{node.function} is not emulated; known are {', '.join(sorted(FUNCTIONS))}")
        return function(arguments, scope)
    return node


def _divided(left: float, right: float) -> float:
    return left / right if right else math.nan


OPERATORS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divided,
    "^": operator.pow,
    "==": lambda left, right: float(left == right),
    "!=": lambda left, right: float(left != right),
    "<": lambda left, right: float(left < right),
    ">": lambda left, right: float(left > right),
    "<=": lambda left, right: float(left <= right),
    ">=": lambda left, right: float(left >= right),
    "&&": lambda left, right: float(bool(left) and bool(right)),
    "||": lambda left, right: float(bool(left) or bool(right)),
}


def _pairwise(combine: Callable[[float, float], float], left: Value, right: Value) -> Value:
    """Combine numbers, or series period by period; periods that one side lacks are dropped."""
    if isinstance(left, list):
        return [_series(_pairwise(combine, each, right), "an array") for each in left]
    if isinstance(right, list):
        return [_series(_pairwise(combine, left, each), "an array") for each in right]
    if isinstance(left, str) or isinstance(right, str):
        raise ExpressionError("a text cannot be calculated with")
    if isinstance(left, dict):
        times = left.keys() & right.keys() if isinstance(right, dict) else left.keys()
        pairs = {time: (left[time], right[time] if isinstance(right, dict) else right) for time in times}
    elif isinstance(right, dict):
        pairs = {time: (left, value) for time, value in right.items()}
    else:
        return combine(left, right)
    return _finite({time: combine(one, other) for time, (one, other) in sorted(pairs.items())})


def _finite(series: Series) -> Series:
    return {time: value for time, value in series.items() if math.isfinite(value)}


def _series(value: Value, where: str) -> Series:
    if not isinstance(value, dict):
        raise ExpressionError(f"{where} takes time series only")
    return value


def _aggregate(combine: Callable[[list[float]], float]) -> Callable[[list[Value], Scope], Value]:
    """Reduces a series to a number and an array of series to one series."""

    def function(arguments: list[Value], scope: Scope) -> Value:
        if len(arguments) != 1:
            raise ExpressionError("an aggregate takes one argument: a time series or an array")
        of = arguments[0]
        if isinstance(of, dict):
            return combine(list(of.values())) if of else math.nan
        if isinstance(of, list):
            times = sorted(set().union(*(each.keys() for each in of)))
            return {time: combine([each[time] for each in of if time in each]) for time in times}
        raise ExpressionError("an aggregate takes a time series or an array")

    return function


def _each(change: Callable[[float], float]) -> Callable[[list[Value], Scope], Value]:
    def function(arguments: list[Value], scope: Scope) -> Value:
        of = arguments[0] if len(arguments) == 1 else ""
        if isinstance(of, list):
            return [{time: change(value) for time, value in each.items()} for each in of]
        if isinstance(of, dict):
            return {time: change(value) for time, value in of.items()}
        if isinstance(of, str):
            raise ExpressionError("takes one number, time series or array")
        return change(of)

    return function


def _metrics(arguments: list[Value], scope: Scope) -> Value:
    part = arguments[0] if arguments else ""
    return [scope.series[id] for id in scope.metrics if str(part) in id]


def _if(arguments: list[Value], scope: Scope) -> Value:
    if len(arguments) not in (2, 3):
        raise ExpressionError("IF takes a condition, a value, and perhaps another value")
    condition, then = arguments[0], arguments[1]
    otherwise = arguments[2] if len(arguments) == 3 else {}
    if isinstance(condition, float):
        return then if condition else otherwise
    result: Series = {}
    for time, holds in _series(condition, "IF").items():
        chosen = then if holds else otherwise
        if isinstance(chosen, dict):
            if time in chosen:
                result[time] = chosen[time]
        elif isinstance(chosen, float):
            result[time] = chosen
    return result


def _fill(arguments: list[Value], scope: Scope) -> Value:
    if len(arguments) != 2:
        raise ExpressionError("FILL takes a time series and what to fill it with: a number, REPEAT, LINEAR or a series")
    of, filling = arguments
    if isinstance(of, list):
        return [_series(_fill([each, filling], scope), "FILL") for each in of]
    given = _series(of, "FILL")
    result: Series = {}
    for time in scope.grid:
        value = given.get(time, _filling(filling, given, time))
        if value is not None:
            result[time] = value
    return result


def _filling(filling: Value, given: Series, time: int) -> float | None:
    if isinstance(filling, float):
        return filling
    if isinstance(filling, dict):
        return filling.get(time)
    before = max((each for each in given if each < time), default=None)
    after = min((each for each in given if each > time), default=None)
    if before is None:
        return None
    if filling == "REPEAT":
        return given[before]
    if filling == "LINEAR":
        if after is None:
            return None
        return given[before] + (given[after] - given[before]) * (time - before) / (after - before)
    raise ExpressionError("FILL fills with a number, REPEAT, LINEAR or a series")


def _changes(arguments: list[Value], scope: Scope) -> Series:
    given = sorted(_series(arguments[0] if len(arguments) == 1 else "", "DIFF").items())
    return {time: value - before for (_, before), (time, value) in pairwise(given)}


FUNCTIONS: dict[str, Callable[[list[Value], Scope], Value]] = {
    "METRICS": _metrics,
    "FILL": _fill,
    "IF": _if,
    "SUM": _aggregate(sum),
    "AVG": _aggregate(statistics.fmean),
    "MIN": _aggregate(min),
    "MAX": _aggregate(max),
    "STDDEV": _aggregate(statistics.pstdev),
    "ABS": _each(abs),
    "CEIL": _each(lambda value: float(math.ceil(value))),
    "FLOOR": _each(lambda value: float(math.floor(value))),
    "DIFF": _changes,
    "RATE": lambda arguments, scope: {time: by / scope.period for time, by in _changes(arguments, scope).items()},
    "PERIOD": lambda arguments, scope: float(scope.period),
}
