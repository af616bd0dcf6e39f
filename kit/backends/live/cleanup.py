"""Deletes leftovers of dead runs: through the guard, under the stack's lease, with retries."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ...aws import undo as fault_undo
from ...aws.client import Aws
from ...aws.deploy import Tell, destroy, stack_named
from ...aws.errors import error_code
from ...aws.undo import FAULT_ENTRY
from ...core.clock import Clock
from ...core.errors import InfraError, NotSupported, WaitExpired
from ...core.eventually import eventually
from . import delete_calls
from .guard import Guard
from .inventory import AwsAccount, Resource, take_snapshot
from .lease import Holder, Lease, lease_table
from .ledger import Entry, RunLedger
from .ownership import RunRecords

_GONE = re.compile(r"NotFound|NoSuch|NonExistent|DoesNotExist|NotActive")
"""Error codes for a resource that is already deleted."""
_ROUNDS = 4
_PAUSE = 10.0
"""AWS seconds, doubled with each round: a resource cannot be deleted until its users are gone."""
_GONE_WITHIN = 300.0
"""AWS seconds from the delete call to the resource being gone: tables and services take minutes."""


class StackCleanup:
    """Cleans up one stack name, behind that stack's guard."""

    def __init__(
        self, aws: Aws, guard: Guard, clock: Clock, records: RunRecords, *, within: float, tell: Tell | None = None
    ) -> None:
        """`within`: AWS seconds that a stack may take to be deleted."""
        self._aws = aws
        self._guard = guard
        self._clock = clock
        self._records = records
        self._within = within
        self._tell = tell

    async def stack_resources(self, stack_id: str) -> set[str]:
        """The stack's ARN and the physical ids of its resources; the guard permits changes to them from then on."""
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

    def faults(self, stack: str) -> list[tuple[RunLedger, Entry]]:
        """Faults in a stack that dead runs did not undo, newest first."""
        return [
            (ledger, entry)
            for ledger in self._records.dead(stack)
            for entry in ledger.open()
            if entry.kind == FAULT_ENTRY
        ]

    async def undo(self, stack: Mapping[str, Any], using: Holder | None) -> list[Exception | None]:
        """Undoes the faults of dead runs under the stack's lease; returns their errors in the order of `faults`.

        Raises `UsageError` when the stack is in use by now.
        """
        await self.stack_resources(stack["StackId"])
        lease = await self._lease(stack, using)
        try:
            return [await self._undo(ledger, entry) for ledger, entry in self.faults(stack["StackName"])]
        finally:
            if lease is not None:
                await lease.release()

    async def delete_stack(self, stack: Mapping[str, Any], using: Holder | None) -> None:
        """Deletes a stack with its resources.

        Raises `UsageError` when it is in use by now, `InfraError` with the first cause when the deletion fails.
        """
        await self.stack_resources(stack["StackId"])
        lease = await self._lease(stack, using)
        try:
            for ledger, entry in self.faults(stack["StackName"]):
                error = await self._undo(ledger, entry)
                if error is not None and self._tell is not None:
                    self._tell(f"fault {entry.name} could not be undone, the stack is deleted anyway: {error}")
            await self._wait_for_update(stack["StackId"])
            await destroy(self._aws, self._clock, stack["StackId"], within=self._within, tell=self._tell_failures)
        except BaseException:
            if lease is not None:
                with contextlib.suppress(Exception):  # its table may be gone with half of the stack
                    await lease.release()
            raise
        if lease is not None:
            lease.end_with_stack()

    async def delete_resources(self, account: AwsAccount, resources: Sequence[Resource]) -> dict[Resource, Exception]:
        """Deletes resources one by one and waits until they are gone; returns the error of each that remains."""
        failed: dict[Resource, Exception] = {}
        left = sorted(resources, key=delete_calls.order)
        pause = _PAUSE
        for attempt in range(_ROUNDS):
            for resource in left:
                failed.pop(resource, None)
                self._own(resource)
                try:
                    await delete_calls.delete(self._aws, resource)
                except Exception as error:
                    if not _GONE.search(error_code(error)):
                        failed[resource] = error
            left = [each for each in left if each in failed and not isinstance(failed[each], NotSupported)]
            if not left or attempt == _ROUNDS - 1:
                break
            await self._clock.sleep(pause)
            pause *= 2
        remaining = await self._remaining(account, [each for each in resources if each not in failed])
        lagging = InfraError(f"it still exists {_GONE_WITHIN:g} AWS s after its deletion")
        return {**failed, **dict.fromkeys(remaining, lagging)}

    def _own(self, resource: Resource) -> None:
        """Permits the guard to delete it. ECS calls name a task or service together with its cluster."""
        names = [resource.name]
        if resource.kind != "AWS::Logs::LogGroup":
            names.append(resource.arn)
        if resource.kind in ("ECS task", "AWS::ECS::Service"):
            names.append(delete_calls.cluster_of(resource))
        self._guard.own(*names)

    async def _remaining(self, account: AwsAccount, deleted: Sequence[Resource]) -> Sequence[Resource]:
        async def once() -> list[Resource]:
            existing = {(each.kind, each.name) for each in (await take_snapshot(account)).resources}
            return [each for each in deleted if (each.kind, each.name) in existing]

        if not deleted:
            return []
        try:
            return await eventually(
                once,
                until=lambda remaining: not remaining,
                within=_GONE_WITHIN,
                clock=self._clock,
                every=5.0,
                backoff=1.5,
                describe="deleted resources to be gone",
            )
        except WaitExpired:
            return await once()

    async def _undo(self, ledger: RunLedger, entry: Entry) -> Exception | None:
        self._guard.trust(ledger.holds)
        try:
            await fault_undo.undo_entry(self._aws, self._clock, entry.facts)
        except Exception as error:
            return error
        ledger.removed(entry)
        return None

    async def _lease(self, stack: Mapping[str, Any], using: Holder | None) -> Lease | None:
        """Takes the stack's lease, in the name of the dead run that still holds it; None when its table is gone."""
        table = lease_table(stack)
        if not table:
            return None
        dead = using is not None and self._records.died(using.run)
        run = using.run if using is not None and dead else f"janitor-{os.getpid()}"
        lease = Lease(self._aws, self._clock, table, stack["StackName"], run)
        try:
            await lease.take()
        except Exception as error:
            if not _GONE.search(error_code(error)):
                raise
            return None
        return lease

    async def _wait_for_update(self, stack_id: str) -> None:
        """Waits for an update under way: CloudFormation refuses to delete the stack until it ends."""

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

    def _tell_failures(self, line: str) -> None:
        if self._tell is not None and ("FAILED" in line or line.startswith("attempt")):
            self._tell(line)
