"""Liveness: every accepted mail is answered within its budget, counted from when the last fault was undone."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.checkers import Finding
from ...core.history import Event
from ...core.verdict import Verdict
from .reading import Instruction, Reading, read, shortest, violation


def liveness(events: Sequence[Event]) -> Finding:
    """No accepted mail waits for ever."""
    reading = read(events)
    mails = [one for one in reading.instructions.values() if one.accepted and one.message]
    found = [finding for one in mails if (finding := _late(reading, one)) and not reading.may_be_ignored(one)]
    failed = [finding for finding in found if finding.verdict is Verdict.FAIL]
    return shortest(failed or found, f"{len(mails)} mail(s), each answered in time")


def _late(reading: Reading, one: Instruction) -> Finding | None:
    within = float(reading.plan.get("reply_within", 0))
    deadline = reading.due(one, within)
    replies = reading.replies.get(one.message, [])
    if replies:
        sent = float(replies[0].value.get("sent", replies[0].aws))
        if sent <= deadline:
            return None
        return violation(f"{one} was answered {sent - deadline:.0f} s after its time", one.invoke, one.end, replies[0])
    if reading.last >= deadline:
        return violation(f"{one} was not answered within {within:g} s", one.invoke, one.end)
    return Finding(Verdict.UNKNOWN, f"{one} was not answered, and the history ends before its time is over")
