"""Legal life: a session's row moves along the contract's transitions, and only its own end or idleness ends it.

`ttl` and `lastActivity` never go back. A session that nobody ended expires only when it was idle for long enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from ...core.checkers import Finding
from ...core.history import INVOKE, Event
from .reading import Reading, read, shortest, violation

LATER = {
    "initializing": {"active", "draining", "expired", "gone"},
    "active": {"initializing", "draining", "expired", "gone"},
    "draining": {"expired", "gone"},
    "expired": {"gone"},
    "gone": set[str](),
}
"""The statuses that may be observed after each one; `gone` is a row that is not there any more."""
_SLACK = 1.0
"""AWS seconds by which a session may be found expired too early: `lastActivity` is rounded."""


def legal_life(events: Sequence[Event]) -> Finding:
    """Every session lives as the contract says."""
    reading = read(events)
    ended = {event.touches["session_id"] for event in reading.ends if event.type == INVOKE}
    found = [
        violation
        for session_id, rows in reading.rows.items()
        for violation in (*_transitions(session_id, rows), *_untimely(reading, session_id, rows, session_id in ended))
    ]
    return shortest(found, f"{len(reading.rows)} session(s), each with a legal life")


def _transitions(session_id: str, rows: Sequence[Event]) -> Iterator[Finding]:
    for before, after in pairwise(rows):
        was, now = before.value["status"], after.value["status"]
        if now != was and now not in LATER.get(was, set()):
            yield violation(f"session {session_id} went from {was} to {now}", before, after)
        if "gone" in (was, now):
            continue
        for name in ("ttl", "last_activity"):
            if after.value[name] < before.value[name]:
                text = f"{name} of session {session_id} went back from {before.value[name]} to {after.value[name]}"
                yield violation(text, before, after)


def _untimely(reading: Reading, session_id: str, rows: Sequence[Event], ended: bool) -> Iterator[Finding]:
    if ended:
        return
    idle = float(reading.plan.get("idle", 0))
    first = next((row for row in rows if row.value["status"] in ("draining", "expired")), None)
    if first is None:
        return
    if first.value["status"] == "draining":
        yield violation(f"session {session_id} is draining, and its client did not end it", first)
    elif first.aws < first.value["last_activity"] / 1000 + idle - _SLACK:
        was_idle = first.aws - first.value["last_activity"] / 1000
        text = f"session {session_id} expired after {was_idle:.1f} s without activity, of {idle:g} s"
        yield violation(text, first)
