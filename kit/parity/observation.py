"""Reads a recorded run from its report and its history."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.errors import UsageError
from ..core.history import INVOKE, Event
from ..core.history import read as read_history
from ..runner.outcome import SKIPPED
from ..runner.report import FILE, LATEST, latest_folder

HISTORY, DELAYS = "history.jsonl", "delays.jsonl"
LACKS = "this cloud has no "
"""The start of the reason for skipping a scenario that needs a missing capability."""


@dataclass(frozen=True)
class RecordedStep:
    name: str
    held: bool
    asserted: int
    aws_seconds: float | None
    seconds: float | None
    by_chance: bool = False
    """Whether the number of its checks varies between runs."""


@dataclass(frozen=True)
class RecordedCheck:
    what: str
    outcome: str
    """`ok` or `fail`."""
    step: str
    strand: int
    timed: bool = False
    """Whether it checks a duration: it is not made when the clock is too fast to judge."""


@dataclass(frozen=True)
class RecordedOperation:
    """One or more equal operations of a strand, one after the other: an attempt is repeated until it succeeds."""

    what: str
    """Its name, and what it touches."""
    step: str
    strand: int


@dataclass(frozen=True)
class RecordedScenario:
    name: str
    verdict: str
    message: str = ""
    asserted: int = 0
    aws_seconds: float | None = None
    seconds: float | None = None
    steps: tuple[RecordedStep, ...] = ()
    checks: tuple[RecordedCheck, ...] = ()
    operations: tuple[RecordedOperation, ...] = ()
    """Those whose number depends neither on how long the run takes nor on the clock."""
    phases: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    previews: tuple[str, ...] = ()

    @property
    def lacking(self) -> str:
        """The missing capability for which it was skipped; empty otherwise."""
        return self.message.removeprefix(LACKS) if self.verdict == SKIPPED and self.message.startswith(LACKS) else ""


@dataclass(frozen=True)
class RecordedRun:
    folder: Path
    about: Mapping[str, Any]
    """The report's facts about the run."""
    scenarios: tuple[RecordedScenario, ...] = ()
    has_history: bool = True
    delays: Mapping[str, float] = field(default_factory=dict)
    """The delays that the cloud drew, in AWS seconds: `<resource>: <delay>, number <n>`."""

    @property
    def name(self) -> str:
        scale = self.about.get("scale")
        speed = f" × {scale:g}" if isinstance(scale, int | float) else ""
        return f"{self.about.get('mode', '?')}{speed}, {self.about.get('id', self.folder.name)}"


def read_run(path: Path) -> RecordedRun:
    """Reads the run in this folder, of this report or history, or the latest of this report folder.

    Raises `UsageError` when there is none.
    """
    folder = path.parent if path.is_file() and path.name != LATEST else path
    if not (folder / FILE).is_file() and (folder / LATEST).exists():
        folder = latest_folder(folder)
    if not (folder / FILE).is_file():
        raise UsageError(
            f"there is no run at {path}",
            where=str(folder / FILE),
            next="give a run's folder, for example .kit/latest or one of .kit/runs",
        )
    try:
        report = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"this is not a report: {error}", where=str(folder / FILE)) from None
    history = folder / HISTORY
    events = read_history(history) if history.is_file() else []
    return RecordedRun(
        folder,
        report.get("run", {}),
        tuple(_scenario(each, events) for each in report.get("scenarios", ())),
        has_history=history.is_file(),
        delays=_delays(folder / DELAYS),
    )


def _scenario(entry: Mapping[str, Any], events: Iterable[Event]) -> RecordedScenario:
    return RecordedScenario(
        name=entry["name"],
        verdict=entry["verdict"],
        message=entry.get("error", {}).get("message", ""),
        asserted=entry.get("asserted", 0),
        aws_seconds=entry.get("aws_seconds"),
        seconds=entry.get("seconds"),
        steps=tuple(
            RecordedStep(
                each["name"],
                each["held"],
                each["asserted"],
                each.get("aws_seconds"),
                each.get("seconds"),
                bool(each.get("by_chance")),
            )
            for each in entry.get("steps", ())
        ),
        checks=_checks(entry["name"], events),
        operations=_operations(entry["name"], events),
        phases=tuple(sorted(each["name"] for each in entry.get("phases", ()))),
        faults=tuple(str(each.get("fault", each.get("name", ""))) for each in entry.get("faults", ())),
        previews=tuple(sorted(entry.get("previews", ()))),
    )


def _checks(scenario: str, events: Iterable[Event]) -> tuple[RecordedCheck, ...]:
    """The checks in the order in which they were made."""
    mine = [event for event in events if event.scenario == scenario and event.name == "check" and not event.by_chance]
    ended = {event.operation: event.type for event in mine if event.type != INVOKE}
    return tuple(
        RecordedCheck(
            event.touches.get("what", ""),
            ended.get(event.index, "open"),
            event.step,
            event.strand,
            timed="target" in event.touches,
        )
        for event in mine
        if event.type == INVOKE
    )


def _operations(scenario: str, events: Iterable[Event]) -> tuple[RecordedOperation, ...]:
    found: list[RecordedOperation] = []
    last: dict[int, RecordedOperation] = {}
    for event in events:
        if event.scenario != scenario or event.type != INVOKE or event.by_chance or "target" in event.touches:
            continue
        what = " ".join([event.name, *(f"{name}={value}" for name, value in event.touches.items())])
        operation = RecordedOperation(what, event.step, event.strand)
        if operation != last.get(event.strand):
            found.append(operation)
        last[event.strand] = operation
    return tuple(found)


def _delays(path: Path) -> dict[str, float]:
    """What was drawn; waits that only follow from a draw have no number."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return {
        f"{entry['resource']}: {entry['delay']}, number {entry['number']}": entry["seconds"]
        for entry in map(json.loads, lines)
        if "number" in entry
    }
