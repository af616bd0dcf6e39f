"""Order: the commits of a branch are a linearization of its instructions.

An instruction that was done before another one was given has its commit before the other's. Concurrent ones may have
either order. A later look at a branch begins with what an earlier one saw.

A look shows the whole order, so nothing is searched: an order is a linearization exactly if no pair in it contradicts
what was done before what.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

from ...core.checkers import Finding
from ...core.history import Event
from .effects import done
from .reading import Instruction, Reading, read, shortest, violation


def order(events: Sequence[Event]) -> Finding:
    """No commit comes before one whose instruction was done when its own was given, and none goes away again."""
    reading = read(events)
    ended = done(reading)
    before: dict[tuple[str, str], tuple[Event, list[Instruction]]] = {}
    found: list[Finding] = []
    for look in reading.commits:
        line = _line(reading, look)
        found += _inversions(line, ended, look)
        branch = reading.project_of(look), str(look.value.get("branch", ""))
        if branch in before:
            found += _rewritten(*before[branch], line, look)
        before[branch] = look, line
    return shortest(found, f"{len(before)} branch(es), each in the order of its instructions")


def _line(reading: Reading, look: Event) -> list[Instruction]:
    """The instructions of a branch in the order of their first commits."""
    markers = dict.fromkeys(marker for commit in look.value["commits"] for marker in commit["markers"])
    return [reading.instructions[marker] for marker in markers if marker in reading.instructions]


def _inversions(line: Sequence[Instruction], ended: Mapping[str, Event], look: Event) -> Iterator[Finding]:
    """From the last commit to the first, with the earliest end among those behind."""
    earliest: tuple[Event, Instruction] | None = None
    for one in reversed(line):
        if earliest is not None and earliest[0].index < one.invoke.index:
            end, later = earliest
            text = f"{later} was done before {one} was given, and its commit comes after"
            yield violation(text, later.invoke, end, one.invoke, look)
        end_of_one = ended.get(one.marker)
        if end_of_one is not None and (earliest is None or end_of_one.index < earliest[0].index):
            earliest = end_of_one, one


def _rewritten(before: Event, seen: Sequence[Instruction], line: Sequence[Instruction], look: Event) -> list[Finding]:
    """The first commit that is not where an earlier look saw it; looks that overlap have no order."""
    if look.operation < before.index:
        return []
    for was, now in zip_longest(seen, line[: len(seen)]):
        if was is not now:
            text = f"the commit of {was} was there, and is gone" if now is None else f"{now} came before {was}"
            return [violation(f"{text}: the branch was rewritten", was.invoke, before, look)]
    return []
