"""Counted assertions: a scenario that asserted nothing has not passed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.errors import CheckFailed
from ..core.eventually import shortened
from ..core.history import History

_ABSENT: Any = object()


@dataclass
class Checks:
    """Makes checks: each is counted, recorded in the history, and ends the scenario when it fails."""

    history: History
    evidence: tuple[str, ...] = ()
    asserted: int = 0

    def check(
        self, holds: object, what: str, *, seen: Any = _ABSENT, next: str = "", target: float | None = None
    ) -> None:
        """Assert that `holds` is true; `what` says what is expected. Raises `CheckFailed`.

        `target` (AWS seconds) marks a check of a duration, which a run on another clock may be unable to make.
        """
        __tracebackhide__ = True
        self.asserted += 1
        of_time = {} if target is None else {"target": f"{target:g}"}
        with self.history.operation("check", what=what, **of_time) as operation:
            if holds:
                operation.ok()
                return
            operation.fail("does not hold" if seen is _ABSENT else f"seen: {shortened(seen)}")
        lines = [f"expected: {what}"]
        if seen is not _ABSENT:
            lines.append(f"seen: {shortened(seen, 2000)}")
        lines += [f"evidence: {place}" for place in self.evidence]
        if next:
            lines.append(f"next: {next}")
        raise CheckFailed("\n".join(lines), evidence=self.evidence)

    def equal(self, seen: object, expected: object, what: str, *, next: str = "") -> None:
        """Assert that two values are equal. Raises `CheckFailed`."""
        __tracebackhide__ = True
        self.check(seen == expected, f"{what} to be {expected!r}", seen=repr(seen), next=next)

    def same(self, seen: Iterable[Hashable], expected: Sequence[Hashable], what: str) -> None:
        """Assert that two collections are equal in any order, duplicates included. Raises `CheckFailed`.

        The message lists `expected` in the given order, so that it is the same in every run.
        """
        __tracebackhide__ = True
        seen = list(seen)
        self.check(
            Counter(seen) == Counter(expected), f"{what} to be {list(expected)!r}, in any order", seen=repr(seen)
        )

    def held(self, what: str) -> None:
        """Count an assertion that a successful wait has just made."""
        self.check(True, what)
