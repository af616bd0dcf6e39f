"""The janitor: collects what killed and expired runs left in an account, and nothing else.

    tags of the account, ledgers of this machine --> runs --judged--> over --> faults undone, stack deleted, the rest
    removed by its own calls --> looked again --> ledgers written off

It acts through the guard like a run does. Doing it twice, or two at a time, comes to the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ...aws.client import Aws
from ...aws.deploy import stack_named
from ...aws.undo_kinds import FAULT
from ...core.clock import Clock
from ...core.errors import KitError
from . import tags
from .cleanup import Collector, Tell
from .guard import Guard, Refused
from .inventory import Ground, Looked, Thing, look
from .lease import Holder
from .ledger import STACK, Ledger
from .ownership import Books, Fate, Judged, user_of

Guarded = Callable[[str], tuple[Aws, Guard]]
"""Clients behind a guard for the stack of this name."""


class Outcome(StrEnum):
    ALIVE = "alive"
    """Its run is at work: left alone."""
    KEPT = "kept"
    """Not expired, and its run is not known to be gone: left alone."""
    DOUBTFUL = "doubtful"
    """Told, and never touched."""
    LEFT = "left"
    """Of a run that is over; not removed, or not yet."""
    REMOVED = "removed"
    ABSENT = "absent"
    """The region does not have it, so nothing of the kind can be there."""


@dataclass(frozen=True)
class Line:
    """One thing, and what came of it."""

    outcome: Outcome
    what: str
    run: str = ""
    why: str = ""

    def __str__(self) -> str:
        of = f" of run {self.run}" if self.run else ""
        return f"{self.what}{of}{': ' if self.why else ''}{self.why}"


@dataclass(frozen=True)
class _Stray:
    """Something that stands outside of stacks."""

    thing: Thing
    stack: str
    """Whose name its marker has."""
    run: str
    judged: Judged

    def line(self, outcome: Outcome, why: str = "") -> Line:
        return Line(outcome, str(self.thing), self.run, why or self.judged.why)


_OUTCOMES = {
    Fate.AT_WORK: Outcome.ALIVE,
    Fate.KEPT: Outcome.KEPT,
    Fate.NOBODY_KNOWS: Outcome.DOUBTFUL,
    Fate.OVER: Outcome.LEFT,
}


class Janitor:
    """One sweep through one account and region."""

    def __init__(
        self, ground: Ground, clock: Clock, books: Books, guarded: Guarded, *, within: float, tell: Tell | None = None
    ) -> None:
        """`ground` is only looked at; what is changed is changed by clients that `guarded` gives. A stack may take
        `within` AWS seconds to be deleted."""
        self._ground = ground
        self._clock = clock
        self._books = books
        self._guarded = guarded
        self._within = within
        self._tell = tell
        self._at_work: dict[str, Judged] = {}
        """Runs that hold the lease of a stack, wherever they run."""
        self._closed: set[str] = set()
        """Names of stacks that could not be looked into: what carries them may be a part of one that stands."""

    async def sweep(self, *, act: bool) -> list[Line]:
        """Everything of the kit's that is there, and what came of it; nothing is changed unless it is to `act`."""
        lines: list[Line] = []
        standing: set[str] = set()
        looked = await look(self._ground)
        stacks = sorted(self._stacks(looked))
        for found in await asyncio.gather(*(self._stack(name, standing, act=act) for name in stacks)):
            lines += found
        if act:
            looked = await look(self._ground)
        lines += await self._strays(self._outside(looked, standing), act=act)
        if act:
            looked = await look(self._ground)
            if not looked.unseen:
                self._write_off(looked)
        lines += [Line(Outcome.LEFT, str(one)) for one in looked.unseen]
        return lines + [Line(Outcome.ABSENT, one.what, why=one.why) for one in looked.absent]

    # ---- Stacks
    def _stacks(self, looked: Looked) -> set[str]:
        """Names of the kit's stacks that are there: by tags; by ledgers, for one has no tags before it is created."""
        marked = {each[tags.MARKER] for each in looked.tags.values()}
        noted = {ledger.header.stack for ledger in self._books.dead()}
        return (marked | noted) & {thing.name for thing in looked.things if thing.kind == STACK}

    async def _stack(self, name: str, standing: set[str], *, act: bool) -> list[Line]:
        """One stack; what it consists of joins what is `standing` when it stays. One that lets nobody look into it
        ends no sweep: this kit's role sees one stack, and there may be others of the kit's."""
        try:
            return await self._looked_into(name, standing, act=act)
        except Exception as error:
            self._closed.add(name)
            why = f"it could not be looked into, and what carries its name is left alone: {said(error)}"
            return [Line(Outcome.LEFT, f"stack {name}", why=why)]

    async def _looked_into(self, name: str, standing: set[str], *, act: bool) -> list[Line]:
        aws, guard = self._guarded(name)
        found = await stack_named(aws, name)
        if found is None:
            return []
        of = self._tags_of(found)
        if of is None:
            return []
        try:
            guard.adopt({**found, "Tags": tags.as_list(of)})
        except Refused as refused:  # a ledger names it, and by now somebody else has a stack of this name
            return [Line(Outcome.DOUBTFUL, f"stack {name}", why=refused.what)]
        using = await user_of(aws, found)
        judged = self._books.judge(of, using)
        if using is not None and judged.fate is Fate.AT_WORK:
            self._at_work[using.run] = judged
        run, what = of.get(tags.RUN, ""), f"stack {name} ({found['StackStatus']})"
        collector = self._collector(aws, guard)
        if judged.fate is Fate.OVER and act:
            try:
                await collector.delete(found, using)
            except Exception as error:
                standing |= await collector.resources(found["StackId"])
                return [Line(Outcome.LEFT, what, run, said(error))]
            return [Line(Outcome.REMOVED, what, run, judged.why)]
        standing |= await collector.resources(found["StackId"])
        lines = [Line(_OUTCOMES[judged.fate], what, run, judged.why)]
        return lines if judged.fate is not Fate.KEPT else lines + await self._faults(collector, found, using, act=act)

    def _tags_of(self, found: Mapping[str, Any]) -> dict[str, str] | None:
        """A stack's tags. One that was never created has none: its ledger tells whose it is, or it is nobody's here."""
        of = tags.from_list(found.get("Tags"))
        if of or found["StackStatus"] != "REVIEW_IN_PROGRESS":
            return of
        for ledger in self._books.dead(found["StackName"]):
            if ledger.find(STACK, found["StackName"]) is not None:
                return tags.tags(ledger.header.stack, ledger.header.run, ledger.header.expires)
        return None

    async def _faults(
        self, collector: Collector, found: Mapping[str, Any], using: Holder | None, *, act: bool
    ) -> list[Line]:
        """Faults that dead runs left in a stack that stays."""
        faults = [(ledger.header.run, f"fault {entry.name}") for ledger, entry in collector.faults(found["StackName"])]
        if not faults or not act:
            return [Line(Outcome.LEFT, what, run, "never undone") for run, what in faults]
        try:
            done = await collector.undo(found, using)
        except Exception as error:
            return [Line(Outcome.LEFT, what, run, said(error)) for run, what in faults]
        return [
            Line(Outcome.LEFT, what, run, said(error)) if error else Line(Outcome.REMOVED, what, run, "undone")
            for (run, what), error in zip(faults, done, strict=True)
        ]

    # ---- What stands outside of them
    def _outside(self, looked: Looked, standing: set[str]) -> list[_Stray]:
        strays = []
        there = {thing.arn for thing in looked.things}
        for thing in looked.things:
            if thing.kind == STACK or (thing.known_as | thing.inside) & standing:
                continue
            of = looked.tags.get(thing.arn)
            if of is not None and of[tags.MARKER] in self._closed:
                continue
            if of is not None:
                run = of.get(tags.RUN, "")
                strays.append(_Stray(thing, of[tags.MARKER], run, self._at_work.get(run) or self._books.judge(of)))
            elif (ledger := self._noting(thing)) is not None and thing.inside and not thing.inside & there:
                judged = Judged(Fate.OVER, "what it delivered to is gone")
                strays.append(_Stray(thing, ledger.header.stack, ledger.header.run, judged))
        return strays

    def _noting(self, thing: Thing) -> Ledger | None:
        """The dead run whose ledger has this receipt rule, which can carry no tags."""
        for ledger in self._books.dead():
            for entry in ledger.open() if ledger.header.stack not in self._closed else ():
                if entry.kind == thing.kind == "AWS::SES::ReceiptRule" and thing.name in entry.id.split("|"):
                    return ledger
        return None

    async def _strays(self, strays: Iterable[_Stray], *, act: bool) -> list[Line]:
        lines: list[Line] = []
        over: dict[str, list[_Stray]] = {}
        for stray in strays:
            if act and stray.judged.fate is Fate.OVER:
                over.setdefault(stray.stack, []).append(stray)
            else:
                lines.append(stray.line(_OUTCOMES[stray.judged.fate]))
        for stack, of_stack in over.items():
            try:
                collector = self._collector(*self._guarded(stack))
            except Refused as refused:  # production has that name by now
                lines += [one.line(Outcome.DOUBTFUL, refused.what) for one in of_stack]
                continue
            failed = await collector.remove(self._ground, [one.thing for one in of_stack])
            for one in of_stack:
                error = failed.get(one.thing)
                lines.append(one.line(Outcome.LEFT, said(error)) if error else one.line(Outcome.REMOVED))
        return lines

    # ---- Books
    def _write_off(self, looked: Looked) -> None:
        """The open entries of dead runs of which nothing is there any more."""
        for ledger in self._books.dead():
            open_ones = ledger.open()
            ids = {entry.id for entry in open_ones if entry.id}
            there = [thing for thing in looked.things if self._is_of(thing, ledger, ids, looked)]
            stands = any(thing.kind == STACK and thing.name == ledger.header.stack for thing in looked.things)
            if not there and not (stands and any(entry.kind == FAULT for entry in open_ones)):
                for entry in open_ones:
                    ledger.removed(entry)

    @staticmethod
    def _is_of(thing: Thing, ledger: Ledger, ids: set[str], looked: Looked) -> bool:
        """Whether a thing is a run's still: its name may be another run's by now."""
        of = looked.tags.get(thing.arn)
        return bool(thing.known_as & ids) if of is None else of.get(tags.RUN) == ledger.header.run

    def _collector(self, aws: Aws, guard: Guard) -> Collector:
        return Collector(aws, guard, self._clock, self._books, within=self._within, tell=self._tell)


def said(error: BaseException) -> str:
    """An error in one line."""
    if isinstance(error, KitError):
        return " ".join(filter(None, (error.what, f"({error.where})" if error.where else "")))
    return f"{type(error).__name__}: {error}"
