"""The history of a mix, sorted by what checkers ask of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.checkers import Finding
from ...core.history import FAIL, INFO, INVOKE, OK, Event
from ...core.verdict import Verdict


@dataclass
class Instruction:
    """An instruction that writes a marker."""

    invoke: Event
    end: Event | None = None
    """None while it was under way when the history ended."""

    @property
    def marker(self) -> str:
        return self.invoke.touches["marker"]

    @property
    def project(self) -> str:
        return self.invoke.touches["project"]

    @property
    def message(self) -> str:
        """The Message-ID of its mail; empty for one that came by HTTP."""
        return "" if self.end is None else str(self.end.value.get("message", ""))

    @property
    def robot(self) -> bool:
        """Whether a program sent it, which answers every reply."""
        return "robot" in self.invoke.touches

    @property
    def accepted(self) -> bool:
        return self.end is not None and self.end.type == OK

    @property
    def refused(self) -> bool:
        """Whether it certainly was not accepted."""
        return self.end is not None and self.end.type == FAIL

    def __str__(self) -> str:
        return f"{self.marker} of session {self.invoke.touches['session']} ({self.project})"


@dataclass
class Reading:
    """The events of one performance."""

    plan: dict[str, Any] = field(default_factory=dict)
    """The value of `mix.plan`; empty when there is none."""
    instructions: dict[str, Instruction] = field(default_factory=dict)
    """By marker."""
    looks: list[Event] = field(default_factory=list)
    """`mix.saw`, in order."""
    commits: list[Event] = field(default_factory=list)
    rows: dict[str, list[Event]] = field(default_factory=dict)
    """`mix.row` by session id, in order."""
    opened: list[Event] = field(default_factory=list)
    """`mix.open`, in order."""
    ends: list[Event] = field(default_factory=list)
    """`mix.end`, invoked or ended."""
    counts: list[Event] = field(default_factory=list)
    replies: dict[str, list[Event]] = field(default_factory=dict)
    """`reply` by the Message-ID that it answers."""
    contents: list[Event] = field(default_factory=list)
    """`mix.reply`."""
    quiet: Event | None = None
    healed: float | None = None
    """AWS time at which the last fault was undone, epoch seconds."""
    last: float = 0.0
    """AWS time of the last event, epoch seconds."""

    def limited(self) -> set[str]:
        """The projects in which a robot has written: instructions there need not be carried out."""
        return {one.project for one in self.instructions.values() if one.robot}

    def by_message(self) -> dict[str, Instruction]:
        return {one.message: one for one in self.instructions.values() if one.message}

    def project_of(self, event: Event) -> str:
        """The project that an event belongs to: its own, or that of its session in the plan."""
        given = event.touches.get("project")
        if given is not None:
            return given
        session = self.plan.get("sessions", {}).get(event.touches.get("session", ""), {})
        return str(session.get("project", ""))

    def all_commits(self) -> Iterator[tuple[Event, str, list[str]]]:
        """Every commit: the look at it, its id, and the markers in it."""
        for look in self.commits:
            for commit in look.value["commits"]:
                yield look, commit["id"], commit["markers"]


def read(events: Sequence[Event]) -> Reading:
    """Sort the events of a performance."""
    reading = Reading(last=events[-1].aws if events else 0.0)
    under_way: dict[int, Instruction] = {}
    for event in events:
        if event.name == "mix.instruct":
            if event.type == INVOKE:
                under_way[event.index] = reading.instructions[event.touches["marker"]] = Instruction(event)
            elif event.operation in under_way:
                under_way[event.operation].end = event
        elif event.name == "mix.end":
            reading.ends.append(event)
        elif event.type in (OK, INFO, FAIL):
            _note(reading, event)
    return reading


def _note(reading: Reading, event: Event) -> None:
    match event.name:
        case "mix.saw":
            reading.looks.append(event)
        case "mix.row":
            reading.rows.setdefault(event.touches["session_id"], []).append(event)
        case "mix.open":
            reading.opened.append(event)
        case "mix.commits":
            reading.commits.append(event)
        case "mix.counts":
            reading.counts.append(event)
        case "reply":
            reading.replies.setdefault(event.touches["message"], []).append(event)
        case "mix.reply":
            reading.contents.append(event)
        case "mix.plan":
            reading.plan = dict(event.value)
        case "mix.quiet":
            reading.quiet = event
        case "mix.healed":
            reading.healed = event.aws


def violation(message: str, *witness: Event | None) -> Finding:
    """A violation and its witness; None is left out."""
    return Finding(Verdict.FAIL, message, tuple(event for event in witness if event is not None))


def shortest(violations: Sequence[Finding], sound: str) -> Finding:
    """The violation with the shortest witness, with the number of the others; a pass without any."""
    if not violations:
        return Finding(Verdict.PASS, sound)
    first = min(violations, key=lambda found: len(found.witness))
    more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
    return Finding(first.verdict, f"{first.message}{more}", first.witness)


def within(marker: str, project: str) -> bool:
    """Whether a marker of project `marker` may surface at a place of `project`: it is the same, or one part of it."""
    return marker == project or marker.startswith(f"{project}/") or project.startswith(f"{marker}/")
