"""Quiet end: when a mix is over, nothing of it is left: no task, message, dead letter, open session, lock or orphan."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.checkers import Finding
from ...core.history import Event
from ...core.verdict import Verdict
from .reading import read, violation


def quiet_end(events: Sequence[Event]) -> Finding:
    """Nothing is left at the end."""
    last = read(events).quiet
    if last is None:
        return Finding(Verdict.UNKNOWN, "the history ends before the mix was over")
    left = [f"{number} {name.replace('_', ' ')}" for name, number in last.value.items() if number]
    if left:
        return violation(f"left at the end: {', '.join(left)}", last)
    return Finding(Verdict.PASS, "nothing is left")
