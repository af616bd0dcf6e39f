"""The timeline of a scenario: lanes of marks and spans on one axis of AWS time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..core.history import FAIL, INFO, INVOKE, NEMESIS
from .files import Line

STEPS, CHECKS, MAIL, QUEUE, ALARM = "steps", "failed checks", "mail", "queue", "alarm"
HERMES, EDIT, TARGETS, SESSIONS, FAULTS = "Hermes tasks", "edit tasks", "targets", "sessions", "faults"
LANES = (STEPS, CHECKS, MAIL, QUEUE, ALARM, HERMES, EDIT, TARGETS, SESSIONS, FAULTS)
FINEST = 800
"""Marks of one lane that are closer than this part of the axis are one mark with a count."""
SHOWN = 160
"""Characters of a mark's text."""

_OPERATIONS = {
    **dict.fromkeys(("send_mail", "reply"), MAIL),
    **dict.fromkeys(("create_session", "keepalive", "deactivate", "visit", "open_socket", "exec"), SESSIONS),
    **dict.fromkeys(("sqs.send_message", "sqs.receive_message"), QUEUE),
}
_CALLS = {
    **dict.fromkeys(("SendMessage", "DeleteMessage", "ChangeMessageVisibility"), QUEUE),
    **dict.fromkeys(("RegisterTargets", "DeregisterTargets"), TARGETS),
    **dict.fromkeys(("PutMetricAlarm", "SetAlarmState"), ALARM),
    **dict.fromkeys(("SendEmail", "SendRawEmail"), MAIL),
}


@dataclass
class Mark:
    """A moment or, with `end`, a span. Times are epoch seconds of AWS time."""

    at: float
    text: str
    end: float | None = None
    bad: bool = False
    """A check or step that failed."""
    refused: bool = False
    """A request that failed or whose outcome is unknown; a scenario may expect it."""


@dataclass
class Timeline:
    began: float
    ended: float
    lanes: list[tuple[str, list[Mark]]] = field(default_factory=list)

    def place(self, at: float) -> float:
        """Where a time is on the axis, in percent."""
        return round(100 * (at - self.began) / max(self.ended - self.began, 1e-6), 3)

    def width(self, mark: Mark) -> float:
        return max(self.place(mark.end or mark.at) - self.place(mark.at), 0.15)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Percent and label of five times on the axis, in AWS seconds since its beginning."""
        whole = self.ended - self.began
        return [(25.0 * part, f"{whole * part / 4:.0f} s") for part in range(5)]


def epoch(text: str) -> float:
    """Epoch seconds of a report's time."""
    return datetime.fromisoformat(text).timestamp()


def timeline(scenario: Mapping[str, Any], history: Sequence[Line], everything: Mapping[str, list[Line]]) -> Timeline:
    """The timeline of a scenario. `history` has its events, `everything` the `tasks` and `calls` of the run."""
    steps = [step for step in scenario.get("steps", ()) if "at" in step]
    times = [float(event["aws"]) for event in history if event.get("aws")]
    for step in steps:
        times += [epoch(step["at"]), epoch(step["at"]) + step.get("aws_seconds", 0.0)]
    if not times:
        return Timeline(0.0, 1.0)
    line = Timeline(min(times), max(times))
    lanes: dict[str, list[Mark]] = {lane: [] for lane in LANES}
    for lane, mark in [
        *((STEPS, _step(step)) for step in steps if "seconds" in step),
        *_of_history(history),
        *_of_tasks(everything["tasks"], line),
        *_of_calls(everything["calls"], line),
        *(
            (FAULTS, Mark(epoch(fault["at"]), f"{fault['fault']}: {fault.get('seen', '')}"[:SHOWN]))
            for fault in scenario.get("faults", ())
            if "at" in fault
        ),
        *(
            (TARGETS, Mark(epoch(phase["at"]), phase["name"]))
            for phase in scenario.get("phases", ())
            if "target" in phase["name"]
        ),
    ]:
        lanes[lane].append(mark)
    line.lanes = [(name, _thinned(marks, line)) for name, marks in lanes.items() if marks]
    return line


def latest_tasks(history: Iterable[Line]) -> list[Line]:
    """The last observation of each ECS task that the cost's observer saw."""
    tasks = {}
    for event in history:
        if event.get("name") == "cost.task" and event.get("value"):
            tasks[event.get("touches", {}).get("task", "")] = event
    return list(tasks.values())


def _step(step: Mapping[str, Any]) -> Mark:
    began = epoch(step["at"])
    return Mark(began, step["name"], began + step.get("aws_seconds", 0.0), bad=not step.get("held", True))


def _of_history(history: Iterable[Line]) -> Iterator[tuple[str, Mark]]:
    for event in history:
        if event["type"] == INVOKE:
            continue
        about = ", ".join(str(value) for value in event.get("touches", {}).values())
        text = f"{event['name']} {event['type']}: {event.get('error') or about}"[:SHOWN]
        bad = event["type"] in (FAIL, INFO)
        if event["name"] == "check":
            if bad:
                yield CHECKS, Mark(event["aws"], text, bad=True)
        elif event.get("caller") == NEMESIS:
            yield FAULTS, Mark(event["aws"], text, refused=bad)
        elif lane := _OPERATIONS.get(event["name"]):
            yield lane, Mark(event["aws"], text, refused=bad)


def _of_tasks(tasks: Iterable[Line], line: Timeline) -> Iterator[tuple[str, Mark]]:
    for event in tasks:
        value, task = event["value"], event["touches"].get("task", "").rpartition("/")[2]
        began, ended = value.get("began"), value.get("ended") or line.ended
        if began is not None and began < line.ended and ended > line.began:
            lane = HERMES if "hermes" in str(value.get("service")) else EDIT
            yield lane, Mark(max(began, line.began), f"task {task}", min(ended, line.ended))


def _of_calls(calls: Iterable[Line], line: Timeline) -> Iterator[tuple[str, Mark]]:
    for call in calls:
        lane = _CALLS.get(call.get("operation", ""))
        if lane and line.began <= call.get("at", 0.0) <= line.ended:
            text = f"{call.get('service')} {call['operation']} {call.get('error') or ''}".strip()
            yield lane, Mark(call["at"], text, refused=bool(call.get("error")))


def _thinned(marks: list[Mark], line: Timeline) -> list[Mark]:
    """The marks in order of time; of many moments in one place, one with their number. Spans and failures stay."""
    kept: list[Mark] = []
    places: dict[tuple[int, bool, bool], tuple[Mark, int]] = {}
    for mark in sorted(marks, key=lambda mark: mark.at):
        place = (int(line.place(mark.at) * FINEST / 100), mark.bad, mark.refused)
        if mark.end is None and place in places:
            first, count = places[place]
            places[place] = (first, count + 1)
        else:
            kept.append(mark)
            if mark.end is None:
                places[place] = (mark, 1)
    for mark, count in places.values():
        if count > 1:
            mark.text = f"{mark.text} (and {count - 1} more)"
    return kept
