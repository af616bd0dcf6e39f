"""Capacity: never more tasks than allowed, and some while a session is active.

A single look may meet a service that is about to be scaled out; two looks two minutes apart may not. A fault may take
tasks away, or the metric by which the service is scaled: the two minutes begin when it was undone.
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
    active = _Active(float(reading.plan.get("idle", 0)))
    empty: Event | None = None
    rows = [row for of_session in reading.rows.values() for row in of_session]
    for look in sorted([*rows, *reading.ends, *reading.counts], key=lambda event: event.index):
        if look.name != "mix.counts":
            active.saw(look)
        elif look.value["desired"] > 0:
            empty = None
        else:
            empty = empty or look
            at = reading.began[look.operation]
            since = active.longest(at)
            if since is None:
                continue
            waited = at - max(empty.aws, since.aws, reading.calm(at))
            if waited > _PATIENCE:
                session_id = since.touches["session_id"]
                text = f"session {session_id} is active, and no task has been desired for {waited:.0f} s"
                return [violation(text, since, empty, look)]
    return []


class _Active:
    """The active sessions, the longest first; one that was not looked at for its idle time may have expired."""

    def __init__(self, idle: float) -> None:
        self._idle = idle
        self._rows: dict[str, tuple[Event, float]] = {}
        """The first look that saw it active, and the AWS time up to which it lives at least; by session."""

    def saw(self, row: Event) -> None:
        """A look at a row, or the end of a session."""
        session_id = row.touches["session_id"]
        if row.value.get("status") != "active":
            self._rows.pop(session_id, None)
            return
        first, _ = self._rows.get(session_id, (row, 0.0))
        self._rows[session_id] = first, row.value["last_activity"] / 1000 + self._idle

    def longest(self, at: float) -> Event | None:
        """The first look at the session that is active for the longest time."""
        for session_id, (first, lives) in list(self._rows.items()):
            if at <= lives:
                return first
            del self._rows[session_id]
        return None
