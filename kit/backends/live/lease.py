"""The lease: one run at a time on a stack. It lives in a table of the stack's own, so it goes with it.

    take --(condition: nobody's, expired, or mine)--> held --beat--> held ... --release--> free
                                                       \\--beats missing for 15 min--> anybody's

While the stack is being made or deleted its CloudFormation status says so, and that is refused as a lease is.
"""

from __future__ import annotations

import os
import socket
import threading
from dataclasses import dataclass
from typing import Any

from ...aws.client import Aws
from ...core.clock import Clock, iso
from ...core.errors import InfraError, UsageError

LASTS = 900.0
"""AWS seconds without a beat after which it is anybody's."""
BEAT = 60.0
"""AWS seconds."""


@dataclass(frozen=True)
class Holder:
    """Who uses the stack."""

    run: str
    host: str
    pid: int
    until: float
    """AWS epoch seconds."""

    def __str__(self) -> str:
        return f"run {self.run} (process {self.pid} on {self.host}), until {iso(self.until)}"


class Lease:
    """This run's use of a stack. Its beat is a thread of its own, for a run outlives many event loops."""

    def __init__(self, aws: Aws, clock: Clock, table: str, stack: str, run: str) -> None:
        self._aws = aws
        self._clock = clock
        self._table = table
        self._stack = stack
        self._run = run
        self._until = 0.0
        self._end = threading.Event()
        self._beating: threading.Thread | None = None
        self._lost = ""
        self.held = False

    async def take(self) -> None:
        """Raises `UsageError` that names the holder when somebody else uses the stack."""
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
                    "until": {"N": f"{now + LASTS:.3f}"},
                },
                ConditionExpression="attribute_not_exists(#stack) OR #until < :now OR #run = :run",
                ExpressionAttributeNames={"#stack": "stack", "#until": "until", "#run": "run"},
                ExpressionAttributeValues={":now": {"N": f"{now:.3f}"}, ":run": {"S": self._run}},
            )
        except Exception as error:
            if not _condition_failed(error):
                raise
            by = await holder(self._aws, self._table, self._stack)
            raise UsageError(
                f"stack {self._stack} is in use by {by or 'another run'}",
                next="wait for its end, or use a stack of your own: --set stack.name=…",
            ) from error
        self._until = now + LASTS
        self.held = True
        self._beating = threading.Thread(target=self._beat, name="kit-lease", daemon=True)
        self._beating.start()

    def lost(self) -> str | None:
        """None while it holds; otherwise one sentence."""
        if self._lost:
            return self._lost
        if self.held and self._clock.now() > self._until:
            return f"the lease of stack {self._stack} ran out: it could not be renewed since {iso(self._until - LASTS)}"
        return None

    async def release(self) -> None:
        """Let others use the stack. Harmless when the lease, its table or its stack is gone."""
        self._stop_beating()
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
            if not (_condition_failed(error) or _no_table(error)):
                raise

    def end_with_stack(self) -> None:
        """The stack has taken the lease along."""
        self._stop_beating()
        self.held = False

    def _stop_beating(self) -> None:
        self._end.set()
        if self._beating is not None:
            self._beating.join(timeout=10)

    def _beat(self) -> None:
        while not self._end.wait(BEAT / self._clock.scale):
            until = self._clock.now() + LASTS
            try:
                self._renew(until)
                self._until = until
            except Exception as error:
                if _condition_failed(error):
                    self._lost = f"another run has taken stack {self._stack} over"
                    return
                # Anything else may pass: until then `lost` knows when the lease has run out.

    def _renew(self, until: float) -> None:
        self._aws.client("dynamodb").update_item(
            TableName=self._table,
            Key={"stack": {"S": self._stack}},
            UpdateExpression="SET #until = :until",
            ConditionExpression="#run = :run",
            ExpressionAttributeNames={"#until": "until", "#run": "run"},
            ExpressionAttributeValues={":until": {"N": f"{until:.3f}"}, ":run": {"S": self._run}},
        )


async def holder(aws: Aws, table: str, stack: str) -> Holder | None:
    """Who holds or held a stack's lease; None when nobody does, or its table is gone with half of the stack."""
    key = {"stack": {"S": stack}}
    try:
        answer = await aws.call("dynamodb", "get_item", TableName=table, Key=key, ConsistentRead=True)
    except Exception as error:
        if not _no_table(error):
            raise
        return None
    item: dict[str, Any] = answer.get("Item", {})
    try:
        return Holder(item["run"]["S"], item["host"]["S"], int(item["pid"]["N"]), float(item["until"]["N"]))
    except KeyError:
        return None


def _condition_failed(error: BaseException) -> bool:
    return _code(error) == "ConditionalCheckFailedException"


def _no_table(error: BaseException) -> bool:
    return _code(error) == "ResourceNotFoundException"


def _code(error: BaseException) -> str:
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


class Lapsed(InfraError):
    """The run must not touch its stack any more: somebody else may be using it."""
