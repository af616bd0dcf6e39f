"""Legal life: a session's row moves along the contract's transitions, and only its own end or idleness ends it.

A thread has one session that takes work. `ttl` and `lastActivity` never go back. A session that its client did not end
expires only when it was idle for long enough, and not while a mail is carried out in it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from math import inf
from operator import itemgetter
from typing import Any

from ...core.checkers import Finding
from ...core.history import FAIL, INVOKE, Event
from .reading import Instruction, Reading, read, shortest, violation

RANK = {"initializing": 0, "active": 0, "draining": 1, "expired": 2, "gone": 3}
"""Statuses may only rise, whatever lies between two looks; `gone` is a row that is not there any more."""
OPEN = ("initializing", "active")
_SLACK = 1.0
"""AWS seconds by which a session may be found expired too early: `lastActivity` is rounded."""


def legal_life(events: Sequence[Event]) -> Finding:
    """Every session lives as the contract says."""
    reading = read(events)
    ended = _ended(reading)
    work = defaultdict(list)
    for one in reading.instructions.values():
        if one.accepted and one.message in reading.replies:
            work[one.invoke.touches["session"]].append(one)
    found = [
        violation
        for session_id, rows in reading.rows.items()
        for violation in (
            *_transitions(session_id, rows),
            *_untimely(reading, session_id, rows, ended.get(session_id, inf)),
            *_deleted(session_id, rows),
            *_at_work(reading, rows, work[rows[0].touches["session"]]),
        )
    ]
    return shortest([*found, *_twice(reading)], f"{len(reading.rows)} session(s), each with a legal life")


def _ended(reading: Reading) -> dict[str, int]:
    """The index of the first end that a client may have asked for, by session; a refused one ended nothing."""
    refused = {event.operation for event in reading.ends if event.type == FAIL}
    ends = [event for event in reading.ends if event.type == INVOKE and event.index not in refused]
    return {event.touches["session_id"]: event.index for event in reversed(ends)}


def _twice(reading: Reading) -> Iterator[Finding]:
    """A thread has one session that takes work; another one may drain beside it."""
    for look in reading.opened:
        sessions = look.value["sessions"]
        if len(sessions) > 1:
            yield violation(f"there are {len(sessions)} open sessions of one thread: {', '.join(sessions)}", look)


def _transitions(session_id: str, rows: Sequence[Event]) -> Iterator[Finding]:
    """Each look against the furthest one that ended before it began; looks that overlap have no order."""
    if unknown := next((row for row in rows if row.value["status"] not in RANK), None):
        yield violation(f"session {session_id} has the status {unknown.value['status']!r}", unknown)
        return
    yield from _fall(rows, _rank, lambda was, now: f"session {session_id} went from {was['status']} to {now['status']}")
    there = [row for row in rows if row.value["status"] != "gone"]
    for name in ("ttl", "last_activity"):
        text = f"{name} of session {session_id} went back from {{0[{name}]}} to {{1[{name}]}}".format
        yield from _fall(there, itemgetter(name), text)


def _rank(value: Mapping[str, Any]) -> int:
    return RANK[value["status"]]


def _fall(rows: Sequence[Event], rises: Callable[[Any], float], text: Callable[[Any, Any], str]) -> Iterator[Finding]:
    """The looks whose value is less than in an earlier one."""

    def further(one: Event, other: Event) -> Event:
        return other if rises(other.value) > rises(one.value) else one

    furthest = list(accumulate(rows, further))
    ends = [row.index for row in rows]
    for after in rows:
        earlier = bisect_right(ends, after.operation)
        before = furthest[earlier - 1] if earlier else after
        if rises(after.value) < rises(before.value):
            yield violation(text(before.value, after.value), before, after)


def _untimely(reading: Reading, session_id: str, rows: Sequence[Event], ended: float) -> Iterator[Finding]:
    """A session that nothing had ended, `ended` being the index of when its client asked for that."""
    last = next((row for row in rows if row.value["status"] not in OPEN), None)
    if last is None or ended < last.index:
        return
    idle = float(reading.plan.get("idle", 0))
    active = last.value["last_activity"] / 1000
    if last.value["status"] == "draining":
        yield violation(f"session {session_id} is draining, and its client did not end it", last)
    elif last.value["status"] == "expired" and last.aws < active + idle - _SLACK:
        text = f"session {session_id} expired after {last.aws - active:.1f} s without activity, of {idle:g} s"
        yield violation(text, last)


def _deleted(session_id: str, rows: Sequence[Event]) -> Iterator[Finding]:
    """A row that is gone before its `ttl`."""
    before = next((row for row in reversed(rows) if row.value["status"] != "gone"), None)
    gone = next((row for row in rows if row.value["status"] == "gone"), None)
    if before is not None and gone is not None and gone.aws < before.value["ttl"]:
        left = before.value["ttl"] - gone.aws
        yield violation(f"the row of session {session_id} is gone {left:.0f} s before its ttl", before, gone)


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
        reply = reading.replies[one.message][0]
        # It may arrive long after it was sent.
        if one.end.aws <= last and gone.index < reply.index and gone.aws < reply.value.get("sent", reply.aws):
            text = f"session {gone.touches['session_id']} expired while {one} was being carried out in it"
            yield violation(text, one.invoke, gone, reply)
