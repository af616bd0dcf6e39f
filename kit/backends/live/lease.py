"""The lease: one run at a time per stack, kept in a DynamoDB table of the stack and deleted with it.

    take --(condition: free, expired, or mine)--> held --renewal--> held ... --release--> free
                                                       \\--no renewal for 15 min--> free

While the stack is being created or deleted, its CloudFormation status refuses other runs in the same way.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...aws.client import Aws
from ...aws.errors import error_code
from ...aws.outputs import outputs_of
from ...core.clock import Clock, iso
from ...core.errors import UsageError

LEASE_TABLE = "LeaseTableName"
"""The stack output that names the lease table."""
DURATION = 900.0
"""AWS seconds without renewal after which other runs may take the lease."""
RENEWAL_INTERVAL = 60.0
"""AWS seconds."""
_CONDITION_FAILED = "ConditionalCheckFailedException"
_NO_TABLE = "ResourceNotFoundException"


@dataclass(frozen=True)
class Holder:
    """The run that uses the stack."""

    run: str
    host: str
    pid: int
    until: float
    """AWS epoch seconds."""

    def __str__(self) -> str:
        return f"run {self.run} (process {self.pid} on {self.host}), until {iso(self.until)}"


class Lease:
    """This run's use of a stack. A thread renews it, because a run outlives many event loops."""

    def __init__(self, aws: Aws, clock: Clock, table: str, stack: str, run: str) -> None:
        self._aws = aws
        self._clock = clock
        self._table = table
        self._stack = stack
        self._run = run
        self._until = 0.0
        self._end = threading.Event()
        self._renewer: threading.Thread | None = None
        self._lost = ""
        self.held = False

    async def take(self) -> None:
        """Raises `UsageError` that names the holder when another run uses the stack."""
        now = self._clock.now()
        try:
            await self._aws.call(
                "dynamodb",
                "put_item",
                TableName=self._table,
                Item={
                    "stack": {"S": self._stack},
                    "run": {"S": self._run},
                    "host": {"S": socket.gethostname()},
                    "pid": {"N": str(os.getpid())},
                    "until": {"N": f"{now + DURATION:.3f}"},
                },
                ConditionExpression="attribute_not_exists(#stack) OR #until < :now OR #run = :run",
                ExpressionAttributeNames={"#stack": "stack", "#until": "until", "#run": "run"},
                ExpressionAttributeValues={":now": {"N": f"{now:.3f}"}, ":run": {"S": self._run}},
            )
        except Exception as error:
            if error_code(error) != _CONDITION_FAILED:
                raise
            by = await _holder(self._aws, self._table, self._stack)
            raise UsageError(
                f"stack {self._stack} is in use by {by or 'another run'}",
                next="wait for its end, or use another stack: --set stack.name=…",
            ) from error
        self._until = now + DURATION
        self.held = True
        self._renewer = threading.Thread(target=self._renew_until_ended, name="kit-lease", daemon=True)
        self._renewer.start()

    def lost(self) -> str | None:
        """None while the lease is valid; otherwise the reason, as one sentence."""
        if self._lost:
            return self._lost
        if self.held and self._clock.now() > self._until:
            since = iso(self._until - DURATION)
            return f"the lease of stack {self._stack} ran out: it could not be renewed since {since}"
        return None

    async def release(self) -> None:
        """Frees the stack for other runs. Harmless when the lease, its table or its stack is gone."""
        self._stop_renewing()
        if not self.held:
            return
        self.held = False
        try:
            await self._aws.call(
                "dynamodb",
                "delete_item",
                TableName=self._table,
                Key={"stack": {"S": self._stack}},
                ConditionExpression="#run = :run",
                ExpressionAttributeNames={"#run": "run"},
                ExpressionAttributeValues={":run": {"S": self._run}},
            )
        except Exception as error:
            if error_code(error) not in (_CONDITION_FAILED, _NO_TABLE):
                raise

    def end_with_stack(self) -> None:
        """Ends a lease whose table was deleted with the stack."""
        self._stop_renewing()
        self.held = False

    def _stop_renewing(self) -> None:
        self._end.set()
        if self._renewer is not None:
            self._renewer.join(timeout=10)

    def _renew_until_ended(self) -> None:
        while not self._end.wait(RENEWAL_INTERVAL / self._clock.scale):
            until = self._clock.now() + DURATION
            try:
                self._renew(until)
                self._until = until
            except Exception as error:
                if error_code(error) == _CONDITION_FAILED:
                    self._lost = f"another run has taken stack {self._stack} over"
                    return
                # Other errors may be temporary; `lost` reports when the lease has run out.

    def _renew(self, until: float) -> None:
        self._aws.client("dynamodb").update_item(
            TableName=self._table,
            Key={"stack": {"S": self._stack}},
            UpdateExpression="SET #until = :until",
            ConditionExpression="#run = :run",
            ExpressionAttributeNames={"#until": "until", "#run": "run"},
            ExpressionAttributeValues={":until": {"N": f"{until:.3f}"}, ":run": {"S": self._run}},
        )


def lease_table(stack: Mapping[str, Any]) -> str:
    """The lease table of a stack as DescribeStacks returns it; empty when the stack has none, or not yet."""
    return outputs_of(stack).get(LEASE_TABLE, "")


async def lease_holder(aws: Aws, stack: Mapping[str, Any]) -> Holder | None:
    """The run that holds or held the lease of a stack as DescribeStacks returns it; None without lease or table."""
    table = lease_table(stack)
    return await _holder(aws, table, stack["StackName"]) if table else None


async def _holder(aws: Aws, table: str, stack: str) -> Holder | None:
    key = {"stack": {"S": stack}}
    try:
        answer = await aws.call("dynamodb", "get_item", TableName=table, Key=key, ConsistentRead=True)
    except Exception as error:
        if error_code(error) != _NO_TABLE:
            raise
        return None
    item: dict[str, Any] = answer.get("Item", {})
    try:
        return Holder(item["run"]["S"], item["host"]["S"], int(item["pid"]["N"]), float(item["until"]["N"]))
    except KeyError:
        return None
