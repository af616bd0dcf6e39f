"""The janitor: deletes what killed and expired runs left in an account, and nothing else.

    tags in the account, ledgers of this machine --> runs --judgement--> over --> undo faults, delete the stack,
    delete the rest one by one --> second snapshot --> close ledger entries

It acts through the guard, as a run does. Repeated and concurrent sweeps have the same result.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ...aws.client import Aws
from ...aws.deploy import Tell, stack_named
from ...aws.undo import FAULT_ENTRY
from ...core.clock import Clock
from ...core.errors import KitError
from . import tags
from .cleanup import StackCleanup
from .guard import Guard, Refused
from .inventory import AwsAccount, Resource, Snapshot, take_snapshot
from .lease import Holder, lease_holder
from .ledger import STACK, RunLedger
from .ownership import Judgement, Ownership, RunRecords

GuardedClients = Callable[[str], tuple[Aws, Guard]]
"""Returns clients behind a guard for the stack of this name."""


class JanitorOutcome(StrEnum):
    ALIVE = "alive"
    """Its run is active: left alone."""
    KEPT = "kept"
    """Not expired, and its run is not known to be gone: left alone."""
    DOUBTFUL = "doubtful"
    """Reported, never changed."""
    LEFT = "left"
    """Belongs to a run that is over; not removed, or not yet."""
    REMOVED = "removed"
    ABSENT = "absent"
    """The region lacks the service, so the account has no such resource."""


@dataclass(frozen=True)
class JanitorFinding:
    """A resource, stack or fault, and its outcome."""

    outcome: JanitorOutcome
    what: str
    run: str = ""
    why: str = ""

    def __str__(self) -> str:
        of = f" of run {self.run}" if self.run else ""
        return f"{self.what}{of}{': ' if self.why else ''}{self.why}"


@dataclass(frozen=True)
class _Stray:
    """A resource outside of stacks."""

    resource: Resource
    stack: str
    """The stack name in its marker."""
    run: str
    judgement: Judgement

    def finding(self, outcome: JanitorOutcome, why: str = "") -> JanitorFinding:
        return JanitorFinding(outcome, str(self.resource), self.run, why or self.judgement.why)


_OUTCOMES = {
    Ownership.ACTIVE: JanitorOutcome.ALIVE,
    Ownership.KEPT: JanitorOutcome.KEPT,
    Ownership.UNKNOWN: JanitorOutcome.DOUBTFUL,
    Ownership.OVER: JanitorOutcome.LEFT,
}


class Janitor:
    """One sweep through one account and region."""

    def __init__(
        self,
        account: AwsAccount,
        clock: Clock,
        records: RunRecords,
        guarded: GuardedClients,
        *,
        within: float,
        tell: Tell | None = None,
    ) -> None:
        """`account` is only read; changes go through the clients that `guarded` returns. A stack may take `within`
        AWS seconds to be deleted."""
        self._account = account
        self._clock = clock
        self._records = records
        self._guarded = guarded
        self._within = within
        self._tell = tell
        self._active: dict[str, Judgement] = {}
        """Runs that hold the lease of a stack, on any machine."""
        self._unreadable: set[str] = set()
        """Names of stacks that could not be read: resources with these markers may belong to an existing stack."""

    async def sweep(self, *, act: bool) -> list[JanitorFinding]:
        """All of the kit's resources and their outcomes; changes nothing unless `act`."""
        findings: list[JanitorFinding] = []
        in_stacks: set[str] = set()
        snapshot = await take_snapshot(self._account)
        async with asyncio.TaskGroup() as group:
            stacks = [
                group.create_task(self._sweep_stack(name, in_stacks, act=act))
                for name in sorted(self._stacks(snapshot))
            ]
        for stack in stacks:
            findings += stack.result()
        if act:
            snapshot = await take_snapshot(self._account)
        findings += await self._sweep_strays(self._strays(snapshot, in_stacks), act=act)
        if act:
            snapshot = await take_snapshot(self._account)
            if not snapshot.unreadable:
                self._close_ledgers(snapshot)
        findings += [JanitorFinding(JanitorOutcome.LEFT, str(each)) for each in snapshot.unreadable]
        absent = [JanitorFinding(JanitorOutcome.ABSENT, each.what, why=each.why) for each in snapshot.not_in_region]
        return findings + absent

    # ---- Stacks
    def _stacks(self, snapshot: Snapshot) -> set[str]:
        """Names of the kit's existing stacks, from tags and from ledgers: a stack has no tags until it is created."""
        marked = {each[tags.MARKER] for each in snapshot.tags.values()}
        noted = {ledger.header.stack for ledger in self._records.dead()}
        return (marked | noted) & {each.name for each in snapshot.resources if each.kind == STACK}

    async def _sweep_stack(self, name: str, in_stacks: set[str], *, act: bool) -> list[JanitorFinding]:
        """Sweeps one stack; the resources of a stack that stays are added to `in_stacks`. An unreadable stack does not
        end the sweep: the role may only read one stack of several."""
        try:
            return await self._sweep_readable(name, in_stacks, act=act)
        except Exception as error:
            self._unreadable.add(name)
            why = f"it could not be read, and resources with its name are left alone: {one_line(error)}"
            return [JanitorFinding(JanitorOutcome.LEFT, f"stack {name}", why=why)]

    async def _sweep_readable(self, name: str, in_stacks: set[str], *, act: bool) -> list[JanitorFinding]:
        aws, guard = self._guarded(name)
        found = await stack_named(aws, name)
        if found is None:
            return []
        of = self._tags_of(found)
        if of is None:
            return []
        try:
            guard.adopt({**found, "Tags": tags.as_list(of)})
        except Refused as refused:  # a ledger names it, and the present stack of this name is not the kit's
            return [JanitorFinding(JanitorOutcome.DOUBTFUL, f"stack {name}", why=refused.what)]
        using = await lease_holder(aws, found)
        judgement = self._records.judge(of, using)
        if using is not None and judgement.ownership is Ownership.ACTIVE:
            self._active[using.run] = judgement
        run, what = of.get(tags.RUN, ""), f"stack {name} ({found['StackStatus']})"
        cleanup = self._cleanup(aws, guard)
        if judgement.ownership is Ownership.OVER and act:
            try:
                await cleanup.delete_stack(found, using)
            except Exception as error:
                in_stacks |= await cleanup.stack_resources(found["StackId"])
                return [JanitorFinding(JanitorOutcome.LEFT, what, run, one_line(error))]
            return [JanitorFinding(JanitorOutcome.REMOVED, what, run, judgement.why)]
        in_stacks |= await cleanup.stack_resources(found["StackId"])
        findings = [JanitorFinding(_OUTCOMES[judgement.ownership], what, run, judgement.why)]
        if judgement.ownership is Ownership.KEPT:
            findings += await self._sweep_faults(cleanup, found, using, act=act)
        return findings

    def _tags_of(self, found: Mapping[str, Any]) -> dict[str, str] | None:
        """The stack's tags. A stack that was never created has none: its tags then come from its ledger; None without
        a ledger."""
        of = tags.from_list(found.get("Tags"))
        if of or found["StackStatus"] != "REVIEW_IN_PROGRESS":
            return of
        for ledger in self._records.dead(found["StackName"]):
            if ledger.find(STACK, found["StackName"]) is not None:
                return tags.tags(ledger.header.stack, ledger.header.run, ledger.header.expires)
        return None

    async def _sweep_faults(
        self, cleanup: StackCleanup, found: Mapping[str, Any], using: Holder | None, *, act: bool
    ) -> list[JanitorFinding]:
        """Faults that dead runs left in a stack that stays."""
        faults = [(ledger.header.run, f"fault {entry.name}") for ledger, entry in cleanup.faults(found["StackName"])]
        if not faults or not act:
            return [JanitorFinding(JanitorOutcome.LEFT, what, run, "never undone") for run, what in faults]
        try:
            errors = await cleanup.undo(found, using)
        except Exception as error:
            return [JanitorFinding(JanitorOutcome.LEFT, what, run, one_line(error)) for run, what in faults]
        return [
            JanitorFinding(JanitorOutcome.LEFT, what, run, one_line(error))
            if error
            else JanitorFinding(JanitorOutcome.REMOVED, what, run, "undone")
            for (run, what), error in zip(faults, errors, strict=True)
        ]

    # ---- Resources outside of stacks
    def _strays(self, snapshot: Snapshot, in_stacks: set[str]) -> list[_Stray]:
        strays = []
        existing = {resource.arn for resource in snapshot.resources}
        for resource in snapshot.resources:
            if resource.kind == STACK or (resource.known_as | resource.inside) & in_stacks:
                continue
            of = snapshot.tags.get(resource.arn)
            if of is not None and of[tags.MARKER] in self._unreadable:
                continue
            if of is not None:
                run = of.get(tags.RUN, "")
                judgement = self._active.get(run) or self._records.judge(of)
                strays.append(_Stray(resource, of[tags.MARKER], run, judgement))
            elif (ledger := self._ledger_of_rule(resource)) and resource.inside and not resource.inside & existing:
                judgement = Judgement(Ownership.OVER, "its delivery target is gone")
                strays.append(_Stray(resource, ledger.header.stack, ledger.header.run, judgement))
        return strays

    def _ledger_of_rule(self, resource: Resource) -> RunLedger | None:
        """The ledger of the dead run that created a receipt rule; rules carry no tags."""
        for ledger in self._records.dead():
            for entry in ledger.open() if ledger.header.stack not in self._unreadable else ():
                if entry.kind == resource.kind == "AWS::SES::ReceiptRule" and resource.name in entry.id.split("|"):
                    return ledger
        return None

    async def _sweep_strays(self, strays: Iterable[_Stray], *, act: bool) -> list[JanitorFinding]:
        findings: list[JanitorFinding] = []
        over: dict[str, list[_Stray]] = {}
        for stray in strays:
            if act and stray.judgement.ownership is Ownership.OVER:
                over.setdefault(stray.stack, []).append(stray)
            else:
                findings.append(stray.finding(_OUTCOMES[stray.judgement.ownership]))
        for stack, of_stack in over.items():
            try:
                cleanup = self._cleanup(*self._guarded(stack))
            except Refused as refused:  # the name is production's by now
                findings += [each.finding(JanitorOutcome.DOUBTFUL, refused.what) for each in of_stack]
                continue
            failed = await cleanup.delete_resources(self._account, [each.resource for each in of_stack])
            for each in of_stack:
                error = failed.get(each.resource)
                findings.append(
                    each.finding(JanitorOutcome.LEFT, one_line(error))
                    if error
                    else each.finding(JanitorOutcome.REMOVED)
                )
        return findings

    # ---- Ledgers
    def _close_ledgers(self, snapshot: Snapshot) -> None:
        """Closes the open entries of dead runs whose resources are all gone."""
        for ledger in self._records.dead():
            entries = ledger.open()
            ids = {entry.id for entry in entries if entry.id}
            remaining = any(self._is_of(resource, ledger, ids, snapshot) for resource in snapshot.resources)
            stack = any(each.kind == STACK and each.name == ledger.header.stack for each in snapshot.resources)
            if not remaining and not (stack and any(entry.kind == FAULT_ENTRY for entry in entries)):
                for entry in entries:
                    ledger.removed(entry)

    @staticmethod
    def _is_of(resource: Resource, ledger: RunLedger, ids: set[str], snapshot: Snapshot) -> bool:
        """Whether a resource is still the run's: another run may use its name by now."""
        of = snapshot.tags.get(resource.arn)
        return bool(resource.known_as & ids) if of is None else of.get(tags.RUN) == ledger.header.run

    def _cleanup(self, aws: Aws, guard: Guard) -> StackCleanup:
        return StackCleanup(aws, guard, self._clock, self._records, within=self._within, tell=self._tell)


def one_line(error: BaseException) -> str:
    """An error in one line."""
    if isinstance(error, KitError):
        where = f" ({error.where})" if error.where else ""
        return f"{error.what}{where}{f'; {error.next}' if error.next else ''}"
    return f"{type(error).__name__}: {error}"
