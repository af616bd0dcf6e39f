"""Four verdicts and how they combine."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    """What a scenario or a run came to."""

    PASS = "pass"
    """Everything asserted held, and something was asserted."""
    UNKNOWN = "unknown"
    """It could not be decided: nothing was asserted, an outcome is open, or a checker crashed."""
    INFRA = "infra"
    """The ground failed, not the system under test."""
    FAIL = "fail"
    """The system under test did something it must not, or did not do what it must."""

    def __or__(self, other: str) -> Verdict:
        """Both together: the graver one. Associative, commutative, idempotent; `PASS` is neutral."""
        return max(self, Verdict(other), key=_GRAVITY.__getitem__)

    @property
    def exit_code(self) -> int:
        """What a command ends with: 0 only for `PASS`."""
        return {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.UNKNOWN: 3, Verdict.INFRA: 4}[self]


_GRAVITY = {Verdict.PASS: 0, Verdict.UNKNOWN: 1, Verdict.INFRA: 2, Verdict.FAIL: 3}


def combined(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict over several; over none it is `UNKNOWN`, for nothing has been shown."""
    result: Verdict | None = None
    for verdict in verdicts:
        result = verdict if result is None else result | verdict
    return Verdict.UNKNOWN if result is None else result


def of_checks(asserted: int) -> Verdict:
    """The verdict of a scenario that ran to its end: one that asserted nothing has not passed."""
    return Verdict.PASS if asserted > 0 else Verdict.UNKNOWN
