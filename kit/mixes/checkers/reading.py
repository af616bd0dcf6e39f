"""The history of a mix, sorted by what checkers ask of it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import Any

from ...core.checkers import Finding
from ...core.history import FAIL, INFO, INJECT, INVOKE, OK, UNDO, Event
from ...core.verdict import Verdict

_LIMITED_FOR = 3600.0
"""AWS seconds in which the replies to a sender in a thread are counted."""


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
    def sender(self) -> str:
        """The address of its person, lower case; empty when it is not recorded."""
        return self.invoke.touches.get("user", "").lower()

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
    began: dict[int, float] = field(default_factory=dict)
    """When each operation of a mix began, AWS epoch seconds: what a look saw may be as old as that."""
    quiet: Event | None = None
    healed: float | None = None
    """AWS time at which the last fault was undone, epoch seconds."""
    last: float = 0.0
    """AWS time of the last event, epoch seconds."""
    faults: dict[str, tuple[float, float]] = field(default_factory=dict)
    """From when to when each fault was in effect, AWS epoch seconds, by injection; infinite when it was not undone."""

    def calm(self, at: float) -> float:
        """When the last of the faults that began before a time was undone; 0 without one, infinite when one was not."""
        begins, ends = self._disturbed
        before = bisect_right(begins, at)
        return ends[before - 1] if before else 0.0

    def due(self, one: Instruction, within: float) -> float:
        """The AWS time by which an accepted instruction is to be done, counted from the end of the last fault."""
        assert one.end is not None
        return max(one.end.aws, self.healed or 0.0, self.calm(self.last)) + within

    def may_be_ignored(self, one: Instruction) -> bool:
        """Whether a mail need not be carried out and answered: a robot's, or of a sender whose replies are used up.

        The limit is on the replies to a sender in a thread within an hour, so a person's mail after a robot's meets it
        too.
        """
        most = int(self.plan.get("most_replies", 0))
        if one.robot or not (most and one.message and one.end):
            return one.robot
        sent = self._sent.get((one.project, one.sender), [])
        until = bisect_right(sent, self.due(one, float(self.plan.get("reply_within", 0))))
        return until - bisect_left(sent, one.end.aws - _LIMITED_FOR) >= most

    @cached_property
    def _sent(self) -> dict[tuple[str, str], list[float]]:
        """When replies were sent to each sender for a project, AWS epoch seconds, in order."""
        found: dict[tuple[str, str], list[float]] = {}
        for message, one in self.by_message().items():
            times = [float(reply.value.get("sent", reply.aws)) for reply in self.replies.get(message, [])]
            found.setdefault((one.project, one.sender), []).extend(times)
        return {key: sorted(times) for key, times in found.items()}

    @cached_property
    def _disturbed(self) -> tuple[list[float], list[float]]:
        """When the faults began, in order, and the latest end among those up to each one."""
        spans = sorted(self.faults.values())
        return [begin for begin, _ in spans], list(accumulate((end for _, end in spans), max))

    def projects_of_people(self) -> dict[str, list[str]]:
        """The projects in which each address has given instructions."""
        found: dict[str, dict[str, None]] = {}
        for one in self.instructions.values():
            found.setdefault(one.sender, {})[one.project] = None
        return {sender: list(projects) for sender, projects in found.items()}

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
        if event.type == INVOKE and event.name.startswith("mix."):
            reading.began[event.index] = event.aws
        if event.name == "mix.instruct":
            if event.type == INVOKE:
                under_way[event.index] = reading.instructions[event.touches["marker"]] = Instruction(event)
            elif event.operation in under_way:
                under_way[event.operation].end = event
        elif event.name == "mix.end":
            reading.ends.append(event)
        elif event.name in (INJECT, UNDO):
            _fault(reading, event)
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
            reading.faults = {id: (begin, min(end, event.aws)) for id, (begin, end) in reading.faults.items()}


def _fault(reading: Reading, event: Event) -> None:
    """A fault may be in effect from when it is asked for until its undoing is known."""
    id = event.touches["injection"]
    if event.name == INJECT and event.type == INVOKE:
        reading.faults[id] = event.aws, float("inf")
    elif event.name == INJECT and event.type == FAIL:
        reading.faults.pop(id, None)
    elif event.name == UNDO and event.type == OK and id in reading.faults:
        reading.faults[id] = reading.faults[id][0], event.aws


def violation(message: str, *witness: Event | None) -> Finding:
    """A violation and its witness, in order and each event once; None is left out."""
    chain = {event.index: event for event in witness if event is not None}
    return Finding(Verdict.FAIL, message, tuple(chain[index] for index in sorted(chain)))


def shortest(violations: Sequence[Finding], sound: str) -> Finding:
    """The violation with the shortest witness, with the number of the others; a pass without any."""
    if not violations:
        return Finding(Verdict.PASS, sound)
    first = min(violations, key=lambda found: len(found.witness))
    more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
    return Finding(first.verdict, f"{first.message}{more}", first.witness)


def parts(project: str) -> list[str]:
    """A project and every one that it is part of: `c/u/s`, `c/u`, `c`."""
    names = project.split("/")
    return ["/".join(names[:length]) for length in range(len(names), 0, -1)]


def within(marker: str, project: str) -> bool:
    """Whether a marker of project `marker` may surface at a place of `project`: it is the same, or one part of it."""
    return marker == project or marker.startswith(f"{project}/") or project.startswith(f"{marker}/")
