"""Order: the commits of a branch are a linearization of its instructions.

An instruction that was answered before another one was given has its commit before the other's. Concurrent ones may
have either order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...core.checkers import Finding
from ...core.history import Event
from .reading import Instruction, Reading, read, shortest, violation


def order(events: Sequence[Event]) -> Finding:
    """No commit stands before one whose instruction was done when its own was given."""
    reading = read(events)
    done = _done(reading)
    found = []
    for look in reading.commits:
        line = [
            reading.instructions[marker]
            for commit in look.value["commits"]
            for marker in commit["markers"]
            if marker in reading.instructions
        ]
        found += _inversions(line, done, look)
    return shortest(found, f"{len(reading.commits)} branch(es), each in the order of its instructions")


def _inversions(line: Sequence[Instruction], done: Mapping[str, Event], look: Event) -> list[Finding]:
    """From the last commit to the first, with the earliest end among those behind."""
    found = []
    earliest: tuple[Event, Instruction] | None = None
    for one in reversed(line):
        if earliest is not None and earliest[0].index < one.invoke.index:
            end, later = earliest
            text = f"{later} was done before {one} was given, and its commit comes after"
            found.append(violation(text, later.invoke, end, one.invoke, look))
        end_of_one = done.get(one.marker)
        if end_of_one is not None and (earliest is None or end_of_one.index < earliest[0].index):
            earliest = end_of_one, one
    return found


def _done(reading: Reading) -> dict[str, Event]:
    """The first event by which each instruction was done: its reply, or the first sight of its marker."""
    done: dict[str, Event] = {}
    for message, one in reading.by_message().items():
        if message in reading.replies:
            done[one.marker] = reading.replies[message][0]
    for look in reading.looks:
        for marker in look.value["markers"]:
            if marker in reading.instructions and (marker not in done or look.index < done[marker].index):
                done[marker] = look
    return done
