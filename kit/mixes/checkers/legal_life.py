"""Legal life: a session's row moves along the contract's transitions, and only its own end or idleness ends it.

A thread has one session that takes work. `ttl` and `lastActivity` never go back. A session that its client did not end
expires only when it was idle for long enough, and not while a mail is carried out in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from ...core.checkers import Finding
from ...core.history import INVOKE, Event
from .reading import Instruction, Reading, read, shortest, violation

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
    work = defaultdict(list)
    for one in reading.instructions.values():
        if one.accepted and one.message in reading.replies:
            work[one.invoke.touches["session"]].append(one)
    found = [
        violation
        for session_id, rows in reading.rows.items()
        for violation in (
            *_transitions(session_id, rows),
            *_untimely(reading, session_id, rows, session_id in ended),
            *_at_work(reading, rows, work[rows[0].touches["session"]]),
        )
    ]
    return shortest([*found, *_twice(reading)], f"{len(reading.rows)} session(s), each with a legal life")


def _twice(reading: Reading) -> Iterator[Finding]:
    """A thread has one session that takes work; another one may drain beside it."""
    for look in reading.opened:
        sessions = look.value["sessions"]
        if len(sessions) > 1:
            yield violation(f"there are {len(sessions)} open sessions of one thread: {', '.join(sessions)}", look)


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


def _at_work(reading: Reading, rows: Sequence[Event], work: Sequence[Instruction]) -> Iterator[Finding]:
    """The first look at an expired row, against the mails that had begun in the session and were not answered yet.

    A mail begins by an activity of its session; one that came too late for it begins another session. After a fault a
    mail may wait for its next delivery, and its session need not wait for that.
    """
    if reading.healed is not None:
        return
    gone = next((row for row in rows if row.value["status"] == "expired"), None)
    if gone is None:
        return
    last = gone.value["last_activity"] / 1000
    for one in work:
        assert one.end is not None
        if one.end.aws <= last and gone.index < reading.replies[one.message][0].index:
            text = f"session {gone.touches['session_id']} expired while {one} was being carried out in it"
            yield violation(text, one.invoke, gone, reading.replies[one.message][0])
