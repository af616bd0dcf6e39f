"""Mail loop: a robot that answers every reply is answered a limited number of times in a thread, and then no more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from ...core.checkers import Finding
from ...core.history import Event
from .reading import read, shortest, violation


def mail_loop(events: Sequence[Event]) -> Finding:
    """No robot keeps a conversation going for ever."""
    reading = read(events)
    most = reading.plan.get("most_replies", 0)
    loops: dict[str, list[Event]] = defaultdict(list)
    for one in reading.instructions.values():
        if one.robot and one.message:
            loops[one.invoke.touches["session"]] += reading.replies.get(one.message, [])
    found = [
        violation(f"the robot of session {session} was answered {len(replies)} times", replies[0], replies[most])
        for session, replies in loops.items()
        if len(replies) > most
    ]
    return shortest(found, f"{len(loops)} robot(s), each answered at most {most} times")
