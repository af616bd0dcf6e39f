"""Whose remains these are: what each run's tags, ledger and lease say of it.

lease held, or its process lives here -----> at work: left alone
its process was one of this machine's, gone -> over: collected at once, unless its stack was kept on purpose
the expiry in its tags has passed -----------> over
else --------------------------------------> kept until then
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ...aws.client import Aws
from . import tags
from .lease import Holder, holder
from .ledger import STACK, Ledger

LEASE_TABLE = "LeaseTableName"


class Fate(StrEnum):
    AT_WORK = "at work"
    KEPT = "kept"
    OVER = "over"
    NOBODY_KNOWS = "nobody knows"
    """It has the kit's tag, and not those that say whose it is and until when."""


@dataclass(frozen=True)
class Judged:
    fate: Fate
    why: str


@dataclass(frozen=True)
class Books:
    """What is written on this machine, of one account and region."""

    ledgers: Sequence[Ledger]
    now: float
    """AWS epoch seconds."""

    def of_run(self, run: str) -> Ledger | None:
        return next((ledger for ledger in self.ledgers if ledger.header.run == run), None)

    def died(self, run: str) -> bool:
        """Whether a run's process was one of this machine's and is gone."""
        ledger = self.of_run(run)
        return ledger is not None and ledger.header.runs_here is False

    def dead(self, stack: str = "") -> list[Ledger]:
        """Ledgers of runs that died here with something open; of one stack, when it is named."""
        return [
            ledger
            for ledger in self.ledgers
            if ledger.header.runs_here is False and ledger.open() and stack in ("", ledger.header.stack)
        ]

    def judge(self, found: Mapping[str, str], using: Holder | None = None) -> Judged:
        """A run by the tags of what it made, and by who holds the lease of the stack."""
        run = found.get(tags.RUN, "")
        if using is not None and using.until > self.now and not self.died(using.run):
            return Judged(Fate.AT_WORK, f"in use by {using}")
        if not run or not _readable(found):
            return Judged(Fate.NOBODY_KNOWS, f"it has no tag {tags.RUN if not run else tags.EXPIRES}")
        expired = tags.expired(found, self.now)
        until = found[tags.EXPIRES]
        ledger = self.of_run(run)
        stack = ledger.find(STACK, ledger.header.stack) if ledger is not None else None
        kept = stack is not None and bool(stack.facts.get("kept"))
        lives = None if ledger is None or kept else ledger.header.runs_here
        if ledger is not None and lives:
            return Judged(Fate.AT_WORK, f"process {ledger.header.pid} is at work on it")
        if expired:
            return Judged(Fate.OVER, f"expired since {until}")
        if ledger is not None and lives is False:
            return Judged(Fate.OVER, f"its process {ledger.header.pid} is gone")
        return Judged(Fate.KEPT, f"until {until}")


async def user_of(aws: Aws, stack: Mapping[str, object]) -> Holder | None:
    """Who holds or held the lease of a stack; None when it has none, or not yet."""
    table = lease_table(stack)
    return await holder(aws, table, str(stack["StackName"])) if table else None


def lease_table(stack: Mapping[str, object]) -> str:
    outputs = stack.get("Outputs") or ()
    assert isinstance(outputs, Sequence)
    return next((str(each["OutputValue"]) for each in outputs if each["OutputKey"] == LEASE_TABLE), "")


def _readable(found: Mapping[str, str]) -> bool:
    """Whether there is an expiry at all: judged far in the future, anything that can be read has expired."""
    return tags.expired(found, float("inf"))
