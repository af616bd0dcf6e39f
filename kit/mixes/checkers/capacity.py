"""Capacity: never more tasks than allowed, and some while a session is active.

A single look may meet a service that is about to be scaled out; two looks two minutes apart may not.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...core.checkers import Finding
from ...core.history import Event
from .reading import Reading, read, shortest, violation

_PATIENCE = 120.0
"""AWS seconds in which a service with an active session is scaled out: the alarm's minute, and its datapoint's."""


def capacity(events: Sequence[Event]) -> Finding:
    """As many tasks as allowed and needed."""
    reading = read(events)
    most = reading.plan.get("max_tasks")
    found = []
    for look in reading.counts:
        running, desired = look.value["running"], look.value["desired"]
        if most is not None and max(running, desired) > most:
            found.append(violation(f"{running} running and {desired} desired tasks, of at most {most}", look))
    return shortest([*found, *_starved(reading)], f"{len(reading.counts)} look(s), never more than {most} task(s)")


def _starved(reading: Reading) -> list[Finding]:
    """A session that stays active for longer than a service without tasks may take to scale out."""
    rows = [row for of_session in reading.rows.values() for row in of_session]
    active: dict[str, Event] = {}
    empty: Event | None = None
    for look in sorted([*rows, *reading.counts], key=lambda event: event.index):
        if look.name == "mix.row":
            session_id = look.touches["session_id"]
            if look.value["status"] != "active":
                active.pop(session_id, None)
            else:
                active.setdefault(session_id, look)
        elif look.value["desired"] > 0:
            empty = None
        else:
            empty = empty or look
            session_id, since = next(iter(active.items()), ("", look))
            if session_id and look.aws - max(empty.aws, since.aws) > _PATIENCE:
                text = f"session {session_id} is active, and no task has been desired for {look.aws - empty.aws:.0f} s"
                return [violation(text, since, empty, look)]
    return []
