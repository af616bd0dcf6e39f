"""Determines which run owns a leftover resource and whether that run is over.

lease held, or its process runs here ------------> active: left alone
its process ran on this machine and has ended ---> over: deleted at once, unless its stack was kept on purpose
the expiry in its tags has passed ---------------> over
otherwise ---------------------------------------> kept until then
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from . import tags
from .lease import Holder
from .ledger import STACK, RunLedger


class Ownership(StrEnum):
    ACTIVE = "active"
    KEPT = "kept"
    OVER = "over"
    UNKNOWN = "unknown"
    """Marked as the kit's, without the tags for run and expiry."""


@dataclass(frozen=True)
class Judgement:
    ownership: Ownership
    why: str


@dataclass(frozen=True)
class RunRecords:
    """The ledgers on this machine, of one account and region."""

    ledgers: Sequence[RunLedger]
    now: float
    """AWS epoch seconds."""

    def of_run(self, run: str) -> RunLedger | None:
        return next((ledger for ledger in self.ledgers if ledger.header.run == run), None)

    def died(self, run: str) -> bool:
        """Whether the run's process ran on this machine and has ended."""
        ledger = self.of_run(run)
        return ledger is not None and ledger.header.runs_here is False

    def dead(self, stack: str = "") -> list[RunLedger]:
        """Ledgers with open entries whose runs died on this machine; only those of `stack`, where given."""
        return [
            ledger
            for ledger in self.ledgers
            if ledger.header.runs_here is False and ledger.open() and stack in ("", ledger.header.stack)
        ]

    def judge(self, found: Mapping[str, str], using: Holder | None = None) -> Judgement:
        """Judges a run by the tags of its resources and by the holder of the stack's lease."""
        run = found.get(tags.RUN, "")
        if using is not None and using.until > self.now and not self.died(using.run):
            return Judgement(Ownership.ACTIVE, f"in use by {using}")
        if not run or not tags.expired(found, float("inf")):  # no expiry, or an unreadable one
            return Judgement(Ownership.UNKNOWN, f"it has no tag {tags.RUN if not run else tags.EXPIRES}")
        until = found[tags.EXPIRES]
        ledger = self.of_run(run)
        stack = ledger.find(STACK, ledger.header.stack) if ledger is not None else None
        kept = stack is not None and bool(stack.facts.get("kept"))
        lives = None if ledger is None or kept else ledger.header.runs_here
        if ledger is not None and lives:
            return Judgement(Ownership.ACTIVE, f"process {ledger.header.pid} is using it")
        if tags.expired(found, self.now):
            return Judgement(Ownership.OVER, f"expired since {until}")
        if ledger is not None and lives is False:
            return Judgement(Ownership.OVER, f"its process {ledger.header.pid} is gone")
        return Judgement(Ownership.KEPT, f"until {until}")
