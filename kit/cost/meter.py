"""The meter: computes from a run's history the quantities that have a price.

It reads only the history, so a run can be metered again from its `history.jsonl` with other prices.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..core.history import INVOKE, OK, Event
from . import usage
from .bill import Item
from .fixed_resources import FixedResources
from .prices import HOURS_PER_MONTH
from .series import ACTIVE_CONNECTIONS, CUSTOM, MINUTE, NEW_CONNECTIONS, PROCESSED
from .usage import TaskUsage

TASK_AT_LEAST = 60
"""Seconds a Fargate task is charged at least (aws.amazon.com/fargate/pricing)."""
NEW_CONNECTIONS_PER_LCU = 25
"""New connections a second."""
ACTIVE_CONNECTIONS_PER_LCU = 3000
"""Active connections a minute."""
GB_PER_LCU_HOUR = 1
"""The fourth dimension, rule evaluations, is free for the first ten rules; the template has five."""

Points = Mapping[int, float]
"""Minute (AWS epoch seconds) → its sum."""


@dataclass(frozen=True)
class Window:
    """A scenario's time, AWS epoch seconds."""

    scenario: str
    began: float
    ended: float


@dataclass
class CostRecords:
    """The cost records of a history."""

    stack: Mapping[str, Any] | None = None
    tasks: dict[str, TaskUsage] = field(default_factory=dict)
    series: dict[str, tuple[Mapping[str, Any], dict[int, float]]] = field(default_factory=dict)
    """Key → description and points."""
    stored: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    counted: list[Item] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    until: float = 0.0
    """AWS epoch seconds of the last event."""

    @classmethod
    def read(cls, events: Iterable[Event]) -> CostRecords:
        recorded = cls()
        for event in events:
            if event.type == OK and event.name.startswith("cost."):
                recorded._take(event)
            if event.type != INVOKE:
                recorded.until = max(recorded.until, event.aws)
        return recorded

    def _take(self, event: Event) -> None:
        value = event.value
        match event.name:
            case usage.STACK:
                self.stack = value
            case usage.TASK:
                self.tasks[event.touches["task"]] = TaskUsage(arn=event.touches["task"], **value)
            case usage.POINTS:
                _, points = self.series.setdefault(event.touches["series"], (value, {}))
                points.update({int(minute): float(number) for minute, number in value["points"]})
            case usage.STORED:
                self.stored[event.touches["what"]] = value
            case usage.COUNT:
                self.counted.append(Item(event.touches["price"], value["quantity"], value["what"], event.scenario))
            case usage.SCENARIO:
                self.windows.append(Window(event.touches["of"], value["began"], value["ended"]))


def meter(events: Iterable[Event], *, now: float | None = None) -> list[Item]:
    """The use up to `now` (AWS epoch seconds), or up to the history's last event."""
    recorded = CostRecords.read(events)
    until = recorded.until if now is None else now
    windows = recorded.windows
    return [
        *_fixed(recorded, until),
        *(item for task in recorded.tasks.values() for item in task_items(task, until, windows)),
        *_charged_series(recorded.series.values(), windows),
        *_balancer(recorded.series, windows),
        *_custom_metrics(recorded.series, windows),
        *recorded.counted,
    ]


def task_items(task: TaskUsage, until: float, windows: Sequence[Window] = ()) -> list[Item]:
    """The charges of a task: begun seconds, at least a minute, from the image pull to its end or `until`.

    All of it belongs to the scenario that was running when the task began.
    """
    seconds = max(TASK_AT_LEAST, math.ceil(round((task.ended or max(until, task.began)) - task.began, 3)))
    hours = seconds / 3600
    whose = next((one.scenario for one in windows if one.began <= task.began < one.ended), "")
    kind = "fargate_arm_" if task.arm else "fargate_"
    items = [
        Item(f"{kind}vcpu_hour", task.vcpu * hours, task.service, whose),
        Item(f"{kind}gb_hour", task.memory_gb * hours, task.service, whose),
        Item("fargate_storage_gb_hour", task.extra_storage_gb * hours, task.service, whose),
        Item("public_ipv4_hour", hours if task.public else 0.0, task.service, whose),
    ]
    return [item for item in items if item.quantity]


def _fixed(recorded: CostRecords, until: float) -> Iterator[Item]:
    stack = recorded.stack
    if stack is None:
        return
    seconds = max(0.0, until - stack["since"])
    yield from FixedResources.read(stack["inventory"]).items(seconds, new=stack["new"])
    months = seconds / 3600 / HOURS_PER_MONTH
    for stored in recorded.stored.values():
        if stored["bytes"]:
            yield Item(stored["price"], stored["bytes"] / 2**30 * months, stored["what"], fixed=True)


def _charged_series(series: Iterable[tuple[Mapping[str, Any], Points]], windows: Sequence[Window]) -> Iterator[Item]:
    for about, points in series:
        for scenario, total in _shared(points, windows).items():
            for price, share in about["charges"].items():
                yield Item(price, total * share, about["what"], scenario)


def _balancer(series: Mapping[str, tuple[Mapping[str, Any], Points]], windows: Sequence[Window]) -> Iterator[Item]:
    """Capacity units: the largest dimension of each minute, an upper bound of AWS's hourly averages."""
    per_unit = {
        NEW_CONNECTIONS: MINUTE * NEW_CONNECTIONS_PER_LCU,
        ACTIVE_CONNECTIONS: ACTIVE_CONNECTIONS_PER_LCU,
        PROCESSED: GB_PER_LCU_HOUR * 1e9 / 60,
    }
    units: dict[int, float] = defaultdict(float)
    for key, one in per_unit.items():
        for minute, number in series.get(key, ({}, {}))[1].items():
            units[minute] = max(units[minute], number / one)
    for scenario, total in _shared(units, windows).items():
        yield Item("load_balancer_lcu_hour", total / 60, "load balancer", scenario)


def _custom_metrics(
    series: Mapping[str, tuple[Mapping[str, Any], Points]], windows: Sequence[Window]
) -> Iterator[Item]:
    """Custom metrics: charged for each hour with data, and for the requests that publish them together."""
    custom = {key: points for key, (_, points) in series.items() if key.startswith(CUSTOM)}
    for key, points in custom.items():
        minutes_in: dict[int, int] = defaultdict(int)
        for minute in points:
            minutes_in[minute // 3600] += 1
        hours = {minute: 1 / minutes_in[minute // 3600] for minute in points}
        for scenario, total in _shared(hours, windows).items():
            yield Item("metric_month", total / HOURS_PER_MONTH, key.removeprefix(CUSTOM), scenario)
    most = max(custom.values(), key=lambda points: sum(points.values()), default={})
    for scenario, total in _shared(most, windows).items():
        yield Item("metrics_request", total, "PutMetricData", scenario)


def _shared(points: Points, windows: Sequence[Window]) -> dict[str, float]:
    """The sum of minutes by scenario, each minute divided by time; the rest goes to the empty name."""
    shares: dict[str, float] = defaultdict(float)
    for minute, number in points.items():
        if not number:
            continue
        left = 1.0
        for window in windows:
            of_it = max(0.0, min(window.ended, minute + MINUTE) - max(window.began, minute)) / MINUTE
            of_it = min(of_it, left)
            if of_it:
                shares[window.scenario] += number * of_it
                left -= of_it
        if left:
            shares[""] += number * left
    return dict(shares)
