"""Four verdicts and how they combine."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    """The result of a scenario or a run."""

    PASS = "pass"  # noqa: S105 - a name, not a secret
    """All assertions held, and there was at least one."""
    UNKNOWN = "unknown"
    """Undecided: nothing was asserted, an outcome is unknown, or a checker crashed."""
    INFRA = "infra"
    """The infrastructure failed, not the system under test."""
    FAIL = "fail"
    """The system under test misbehaved."""

    def __or__(self, other: str) -> Verdict:
        """The graver of both. Associative, commutative, idempotent; `PASS` is neutral."""
        return max(self, Verdict(other), key=_GRAVITY.__getitem__)

    @property
    def exit_code(self) -> int:
        """The exit code of a command: 0 only for `PASS`."""
        return {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.UNKNOWN: 3, Verdict.INFRA: 4}[self]


_GRAVITY = {Verdict.PASS: 0, Verdict.UNKNOWN: 1, Verdict.INFRA: 2, Verdict.FAIL: 3}


def combined(verdicts: Iterable[Verdict]) -> Verdict:
    """The gravest of several verdicts; of none, `UNKNOWN`."""
    result: Verdict | None = None
    for verdict in verdicts:
        result = verdict if result is None else result | verdict
    return Verdict.UNKNOWN if result is None else result


def of_checks(asserted: int) -> Verdict:
    """The verdict of a scenario that ran to its end: without an assertion it has not passed."""
    return Verdict.PASS if asserted > 0 else Verdict.UNKNOWN
