"""What a run did, read from its report and its history."""

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

HISTORY = "history.jsonl"
LACKS = "this cloud has no "
"""How the reason begins for which a scenario is skipped that needs what a cloud cannot do."""


@dataclass(frozen=True)
class SeenStep:
    name: str
    held: bool
    asserted: int
    aws_seconds: float | None
    seconds: float | None
    by_chance: bool = False
    """How often it checks what it checks may differ."""


@dataclass(frozen=True)
class SeenCheck:
    what: str
    outcome: str
    """`ok` or `fail`."""
    step: str
    strand: int
    of_time: bool = False
    """Whether it is about how long something took: a fast clock cannot always tell, and then it is not made."""


@dataclass(frozen=True)
class SeenScenario:
    name: str
    verdict: str
    message: str = ""
    asserted: int = 0
    aws_seconds: float | None = None
    seconds: float | None = None
    steps: tuple[SeenStep, ...] = ()
    checks: tuple[SeenCheck, ...] = ()
    phases: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    previews: tuple[str, ...] = ()

    @property
    def lacking(self) -> str:
        """What the cloud could not do, for which it was skipped; empty otherwise."""
        return self.message.removeprefix(LACKS) if self.verdict == SKIPPED and self.message.startswith(LACKS) else ""


@dataclass(frozen=True)
class SeenRun:
    folder: Path
    about: Mapping[str, Any]
    """The run's own facts, as its report has them."""
    scenarios: tuple[SeenScenario, ...] = ()
    has_history: bool = True
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        scale = self.about.get("scale")
        speed = f" × {scale:g}" if isinstance(scale, int | float) else ""
        return f"{self.about.get('mode', '?')}{speed}, {self.about.get('id', self.folder.name)}"


def run_at(path: Path) -> SeenRun:
    """The run in this folder, or of this report or history, or the latest below this report folder.

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
        raise UsageError(f"this is no report: {error}", where=str(folder / FILE)) from None
    history = folder / HISTORY
    events = read_history(history) if history.is_file() else []
    return SeenRun(
        folder,
        report.get("run", {}),
        tuple(_scenario(each, events) for each in report.get("scenarios", ())),
        has_history=history.is_file(),
    )


def _scenario(told: Mapping[str, Any], events: Iterable[Event]) -> SeenScenario:
    return SeenScenario(
        name=told["name"],
        verdict=told["verdict"],
        message=told.get("error", {}).get("message", ""),
        asserted=told.get("asserted", 0),
        aws_seconds=told.get("aws_seconds"),
        seconds=told.get("seconds"),
        steps=tuple(
            SeenStep(
                each["name"],
                each["held"],
                each["asserted"],
                each.get("aws_seconds"),
                each.get("seconds"),
                bool(each.get("by_chance")),
            )
            for each in told.get("steps", ())
        ),
        checks=_checks(told["name"], events),
        phases=tuple(sorted(each["name"] for each in told.get("phases", ()))),
        faults=tuple(str(each.get("fault", each.get("name", ""))) for each in told.get("faults", ())),
        previews=tuple(sorted(told.get("previews", ()))),
    )


def _checks(scenario: str, events: Iterable[Event]) -> tuple[SeenCheck, ...]:
    """In the order in which they were made; `outcome` is what became of each."""
    mine = [event for event in events if event.scenario == scenario and event.name == "check"]
    ended = {event.operation: event.type for event in mine if event.type != INVOKE}
    return tuple(
        SeenCheck(
            event.touches.get("what", ""),
            ended.get(event.index, "open"),
            event.step,
            event.strand,
            of_time="target" in event.touches,
        )
        for event in mine
        if event.type == INVOKE
    )
