"""StateReason and StateReasonData of an alarm."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from ...core.timestamps import instant, iso_millis
from .evaluation import COMPARISONS, Rule, State, Verdict
from .query import Datapoint, Window

INITIAL = "Unchecked: Initial alarm creation"
MOST_IN_SENTENCE = 5
"""From this number of crossing datapoints on, a second sentence lists the most recent ones."""
MOST_IN_DATA = 15
"""StateReasonData has 4,000 characters, and a history item contains two of them."""


def reason(window: Window, verdict: Verdict, state: State, rule: Rule, *, m_of_n: bool) -> str:
    """StateReason. `m_of_n`: the alarm sets DatapointsToAlarm."""
    if state == "INSUFFICIENT_DATA":
        return f"Insufficient Data: {_count(rule.periods, 'datapoint')} {_were(rule.periods)} unknown."
    treatment = {"breaching": "Breaching", "notBreaching": "NonBreaching"}.get(rule.missing)
    filled = verdict.filled if treatment else 0
    missing = f" and {_count(filled, 'missing datapoint')} {_were(filled)} treated as [{treatment}]" if filled else ""
    considered = window.at(verdict.considered)
    crossing = [point for point in considered if rule.breaches(point.value) == (state == "ALARM")]
    if crossing:
        return f"Threshold Crossed: {_crossed(crossing, state, rule, m_of_n)}{missing}."
    received = _count(len(considered), "datapoint") if considered else "no datapoints"
    periods = _count(rule.periods, "period")
    return f"Threshold Crossed: {received} {_were(len(considered))} received for {periods}{missing}."


def reason_data(
    window: Window, verdict: Verdict, rule: Rule, *, now: float, statistic: str | None, unit: str | None
) -> str:
    """StateReasonData."""
    considered = window.at(verdict.considered)
    gaps = window.gaps()[: verdict.filled]
    data: dict[str, Any] = {
        "version": "1.0",
        "queryDate": _iso(now),
        "startDate": _iso(considered[-1].time) if considered else None,
        "unit": unit,
        "statistic": statistic,
        "period": window.period,
        "recentDatapoints": [point.value for point in reversed(considered[:MOST_IN_DATA])],
        "threshold": rule.threshold,
        "evaluatedDatapoints": [
            *(_evaluated(point) for point in considered),
            *({"timestamp": _iso(time)} for time in gaps),
        ][:MOST_IN_DATA],
    }
    return json.dumps({key: value for key, value in data.items() if value is not None}, separators=(",", ":"))


def recent_values(reason_data: str | None) -> Sequence[float]:
    """The datapoints in a StateReasonData, oldest first; empty for None or invalid JSON."""
    try:
        data = json.loads(reason_data or "")
    except ValueError:
        return ()
    return tuple(data.get("recentDatapoints", ())) if isinstance(data, Mapping) else ()


def _crossed(crossing: Sequence[Datapoint], state: State, rule: Rule, m_of_n: bool) -> str:
    number = len(crossing)
    relation = f"{'' if state == 'ALARM' else 'not '}{COMPARISONS[rule.comparison][1]}"
    verb = f"{_were(number)} {relation} the threshold ({_number(rule.threshold)})"
    who, tail = _count(number, "datapoint"), ""
    if m_of_n:
        who = f"{number} out of the last {rule.periods} datapoints"
        needed = rule.datapoints if state == "ALARM" else rule.periods - rule.datapoints + 1
        change = "OK -> ALARM" if state == "ALARM" else "ALARM -> OK"
        tail = f" (minimum {_count(needed, 'datapoint')} for {change} transition)"
    listed = ", ".join(f"{_number(point.value)} ({_time(point.time)})" for point in crossing[:MOST_IN_SENTENCE])
    if number < MOST_IN_SENTENCE:
        return f"{who} [{listed}] {verb}{tail}"
    return f"{who} {verb}. The most recent datapoints which crossed the threshold: [{listed}]{tail}"


def _evaluated(point: Datapoint) -> dict[str, Any]:
    samples = {} if point.sample_count is None else {"sampleCount": point.sample_count}
    return {"timestamp": _iso(point.time), **samples, "value": point.value}


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _iso(aws_epoch: float) -> str:
    return iso_millis(aws_epoch, "+0000")


def _time(aws_epoch: float) -> str:
    return instant(aws_epoch).strftime("%d/%m/%y %H:%M:%S")


def _number(value: float) -> str:
    """As Java, in which CloudWatch is written, prints a double: 1.0, 0.05, 1.25E7."""
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(float(value))
    exact = Decimal(repr(value))
    digits = "".join(map(str, exact.as_tuple().digits)).rstrip("0")
    return f"{'-' if value < 0 else ''}{digits[0]}.{digits[1:] or '0'}E{exact.adjusted()}"
