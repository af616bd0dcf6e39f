"""Takes away what is known to be a dead run's: through the guard, under the stack's lease, tried again where needed."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...aws import undo as fault_undo
from ...aws.client import Aws
from ...aws.deploy import destroy, stack_named
from ...aws.undo_kinds import FAULT
from ...core.clock import Clock
from ...core.errors import InfraError, NotSupported, WaitExpired
from ...core.eventually import eventually
from . import delete_calls
from .guard import Guard
from .inventory import Ground, Thing, look
from .lease import Holder, Lease
from .ledger import Entry, Ledger
from .ownership import Books, lease_table

Tell = Callable[[str], None]
_GONE = re.compile(r"NotFound|NoSuch|NonExistent|DoesNotExist|NotActive")
"""Error codes that say a thing is not there: somebody was quicker."""
_ROUNDS = 4
_PAUSE = 10.0
"""AWS seconds, doubled with each round: what uses a thing takes its time to go."""
_GONE_WITHIN = 300.0
"""AWS seconds from a removal's call to the thing being gone: tables and services take minutes."""


class Collector:
    """For one stack's name, behind that stack's guard."""

    def __init__(
        self, aws: Aws, guard: Guard, clock: Clock, books: Books, *, within: float, tell: Tell | None = None
    ) -> None:
        """`within`: AWS seconds that a stack may take to be deleted."""
        self._aws = aws
        self._guard = guard
        self._clock = clock
        self._books = books
        self._within = within
        self._tell = tell

    async def resources(self, stack_id: str) -> set[str]:
        """What a stack consists of, as AWS calls it; the guard lets it be touched from now on."""
        found = await self._aws.pages(
            "cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=stack_id
        )
        names = {
            each["PhysicalResourceId"]
            for each in found
            if each.get("PhysicalResourceId") and each["ResourceStatus"] != "DELETE_COMPLETE"
        }
        self._guard.own(*names)
        return names | {stack_id}

    def faults(self, stack: str) -> list[tuple[Ledger, Entry]]:
        """Faults in a stack that runs which are dead did not undo, the newest first."""
        return [(ledger, entry) for ledger in self._books.dead(stack) for entry in ledger.open() if entry.kind == FAULT]

    async def undo(self, stack: Mapping[str, Any], using: Holder | None) -> list[Exception | None]:
        """Undo what dead runs did to a stack, under its lease; what came of each, in the order of `faults`. Raises
        `UsageError` when it is in use by now."""
        await self.resources(stack["StackId"])
        lease = await self._lease(stack, using)
        try:
            return [await self._undone(ledger, entry) for ledger, entry in self.faults(stack["StackName"])]
        finally:
            if lease is not None:
                await lease.release()

    async def delete(self, stack: Mapping[str, Any], using: Holder | None) -> None:
        """Delete a stack with everything in it. Raises `UsageError` when it is in use by now, `InfraError` with the
        first cause when it stays."""
        await self.resources(stack["StackId"])
        lease = await self._lease(stack, using)
        try:
            for ledger, entry in self.faults(stack["StackName"]):
                error = await self._undone(ledger, entry)
                if error is not None and self._tell is not None:
                    self._tell(f"fault {entry.name} could not be undone, the stack goes all the same: {error}")
            await self._settled(stack["StackId"])
            await destroy(self._aws, self._clock, stack["StackId"], within=self._within, tell=self._loud)
        except BaseException:
            if lease is not None:
                with contextlib.suppress(Exception):  # its table may be gone with half of the stack
                    await lease.release()
            raise
        if lease is not None:
            lease.end_with_stack()

    async def remove(self, ground: Ground, things: Sequence[Thing]) -> dict[Thing, Exception]:
        """Remove things by their own calls, and wait until they are gone; those that are not, and why."""
        failed: dict[Thing, Exception] = {}
        left = sorted(things, key=delete_calls.order)
        pause = _PAUSE
        for attempt in range(_ROUNDS):
            failed = {}
            for thing in left:
                self._guard.own(
                    thing.name, *([thing.arn] if thing.kind != "AWS::Logs::LogGroup" else []), *_cluster(thing)
                )
                try:
                    await delete_calls.remove(self._aws, thing)
                except Exception as error:
                    if not _GONE.search(_code(error)):
                        failed[thing] = error
            left = [thing for thing in left if thing in failed and not isinstance(failed[thing], NotSupported)]
            if not left or attempt == _ROUNDS - 1:
                break
            await self._clock.sleep(pause)
            pause *= 2
        there = await self._still_there(ground, [thing for thing in things if thing not in failed])
        return {
            **failed,
            **dict.fromkeys(there, InfraError(f"it is still there, {_GONE_WITHIN:g} AWS s after its removal")),
        }

    async def _still_there(self, ground: Ground, things: Sequence[Thing]) -> Sequence[Thing]:
        async def once() -> list[Thing]:
            there = {(thing.kind, thing.name) for thing in (await look(ground)).things}
            return [thing for thing in things if (thing.kind, thing.name) in there]

        if not things:
            return []
        try:
            return await eventually(
                once,
                until=lambda there: not there,
                within=_GONE_WITHIN,
                clock=self._clock,
                every=5.0,
                backoff=1.5,
                describe="what was removed to be gone",
            )
        except WaitExpired:
            return await once()

    async def _undone(self, ledger: Ledger, entry: Entry) -> Exception | None:
        self._guard.trust(ledger.holds)
        try:
            await fault_undo.undo_entry(self._aws, self._clock, entry.facts)
        except Exception as error:
            return error
        ledger.removed(entry)
        return None

    async def _lease(self, stack: Mapping[str, Any], using: Holder | None) -> Lease | None:
        """The stack's lease, taken over in the name of a dead run that still holds it; None when its table is gone."""
        table = lease_table(stack)
        if not table:
            return None
        dead = using is not None and self._books.died(using.run)
        run = using.run if using is not None and dead else f"janitor-{os.getpid()}"
        lease = Lease(self._aws, self._clock, table, stack["StackName"], run)
        try:
            await lease.take()
        except Exception as error:
            if not _GONE.search(_code(error)):
                raise
            return None
        return lease

    async def _settled(self, stack_id: str) -> None:
        """An update under way cannot be deleted: its end is waited for."""

        async def status() -> str:
            found = await stack_named(self._aws, stack_id)
            return "" if found is None else str(found["StackStatus"])

        await eventually(
            status,
            until=lambda now: not (now.startswith("UPDATE_") and now.endswith("_IN_PROGRESS")),
            within=self._within,
            clock=self._clock,
            every=5.0,
            describe="the stack's update to end",
        )

    def _loud(self, line: str) -> None:
        """Of a stack's many events: what goes wrong."""
        if self._tell is not None and ("FAILED" in line or line.startswith("attempt")):
            self._tell(line)


def _cluster(thing: Thing) -> list[str]:
    """An ECS task or service is named together with its cluster, and only one of them need be the run's."""
    return [thing.arn.split("/")[1]] if thing.kind in ("ECS task", "AWS::ECS::Service") else []


def _code(error: BaseException) -> str:
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""
