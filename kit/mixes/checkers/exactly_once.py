"""Exactly once: an accepted instruction makes one commit and gets at most one reply; a refused one makes neither.

That a reply comes at all is for `liveness`. Commits count only where the project's commits were looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...core.checkers import Finding
from ...core.history import Event
from .reading import Instruction, Reading, read, shortest, violation


def exactly_once(events: Sequence[Event]) -> Finding:
    """Each accepted instruction is carried out once, however often it was delivered."""
    reading = read(events)
    made: dict[str, dict[str, Event]] = {}
    for look, id, markers in reading.all_commits():
        for marker in markers:
            made.setdefault(marker, {})[id] = look
    looked_at = {reading.project_of(look) for look in reading.commits}
    parts, limited = {part for project in looked_at for part in _parts(project)}, reading.limited()
    found: list[Finding] = []
    for one in reading.instructions.values():
        commits = made.get(one.marker, {})
        seen = one.project in parts or not looked_at.isdisjoint(_parts(one.project))
        found += _commits(one, commits, seen and one.project not in limited)
        found += _replies(reading, one)
    return shortest(found, f"{len(reading.instructions)} instruction(s), each carried out once")


def _parts(project: str) -> list[str]:
    """A project and those that it is a part of."""
    words = project.split("/")
    return ["/".join(words[:end]) for end in range(1, len(words) + 1)]


def _commits(one: Instruction, commits: dict[str, Event], looked_at: bool) -> Iterator[Finding]:
    looks = tuple(commits.values())
    if len(commits) > 1:
        yield violation(f"{one} made {len(commits)} commits: {', '.join(commits)}", one.invoke, one.end, *looks[:2])
    elif commits and one.refused:
        yield violation(f"{one} was refused, and made commit {next(iter(commits))}", one.invoke, one.end, looks[0])
    elif not commits and one.accepted and looked_at:
        yield violation(f"{one} was accepted, and made no commit", one.invoke, one.end)


def _replies(reading: Reading, one: Instruction) -> Iterator[Finding]:
    replies = reading.replies.get(one.message, []) if one.message else []
    if len(replies) > 1:
        yield violation(f"{one} got {len(replies)} replies", one.invoke, *replies[:2])
