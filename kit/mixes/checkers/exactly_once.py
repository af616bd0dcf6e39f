"""Exactly once: an accepted instruction makes one commit and gets at most one reply; a refused one makes neither.

That a reply comes at all is for `liveness`. A commit is missing when a look at its project, after the instruction was
done or its time was over, did not find it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from ...core.checkers import Finding
from ...core.history import Event
from .effects import done
from .reading import Instruction, Reading, parts, read, shortest, violation


def exactly_once(events: Sequence[Event]) -> Finding:
    """Each accepted instruction is carried out once, however often it was delivered."""
    reading = read(events)
    made: dict[str, dict[str, Event]] = defaultdict(dict)
    for look, id, markers in reading.all_commits():
        for marker in markers:
            made[marker].setdefault(id, look)
    missing = _Missing(reading)
    found: list[Finding] = []
    for one in reading.instructions.values():
        found += _commits(one, made.get(one.marker, {}), missing.seen_by(one))
        found += _replies(reading, one)
    return shortest(found, f"{len(reading.instructions)} instruction(s), each carried out once")


def _commits(one: Instruction, commits: Mapping[str, Event], missing: Event | None) -> Iterator[Finding]:
    looks = tuple(commits.values())
    if len(commits) > 1:
        yield violation(f"{one} made {len(commits)} commits: {', '.join(commits)}", one.invoke, one.end, *looks[:2])
    elif commits and one.refused:
        yield violation(f"{one} was refused, and made commit {next(iter(commits))}", one.invoke, one.end, looks[0])
    elif not commits and missing is not None:
        yield violation(f"{one} was accepted, and made no commit", one.invoke, one.end, missing)


def _replies(reading: Reading, one: Instruction) -> Iterator[Finding]:
    replies = reading.replies.get(one.message, []) if one.message else []
    if len(replies) > 1:
        yield violation(f"{one} got {len(replies)} replies", one.invoke, *replies[:2])


class _Missing:
    """Which look at a project's commits came too late to miss an instruction's."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._done = done(reading)
        self._last: dict[str, Event] = {}
        """The last look at each project's commits or history, by project."""
        self._committed: set[str] = set()
        for look in [*reading.commits, *(look for look in reading.looks if look.touches["place"] == "history")]:
            project = reading.project_of(look)
            if project not in self._last or self._last[project].index < look.index:
                self._last[project] = look
            self._committed.update(look.value.get("markers", ()))

    def seen_by(self, one: Instruction) -> Event | None:
        """The last look that would have found its commit; None without one."""
        looks = [self._last[project] for project in parts(one.project) if project in self._last]
        if one.marker in self._committed or not one.accepted or not looks or self._reading.may_be_ignored(one):
            return None
        last = max(looks, key=lambda look: look.index)
        end = self._done.get(one.marker)
        plan = self._reading.plan
        within = float(plan.get("reply_within", 0) if one.message else plan.get("shown_within", 0))
        was_done = end is not None and end.index <= last.operation
        return last if was_done or self._reading.began[last.operation] >= self._reading.due(one, within) else None
