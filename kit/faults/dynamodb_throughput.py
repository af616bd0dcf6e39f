"""Throttles DynamoDB by its on-demand maximum throughput.

    DescribeTable --> book --> UpdateTable OnDemandThroughput --> (throttled) --> UpdateTable as before

All callers are throttled, including the kit, whose SDK retries. The refused calls of all callers are counted by the
metrics ReadThrottleEvents and WriteThrottleEvents of AWS/DynamoDB, a minute later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..aws.undo import DEADLINE, UndoCall, UndoRecord
from ..core.errors import NotSupported
from ..core.eventually import eventually
from .context import FaultContext
from .effects import RecordedEffect
from .fault import Observation

_READS = frozenset({"GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"})
_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"})
_UNLIMITED = -1
_USUAL = 10.0
"""Units a second that a probability takes its share of; with probability 1, the minimum of one is left."""
_ACTIVE_WITHIN = 120.0
"""AWS seconds until a changed table is ACTIVE again."""
_MINUTE = 60


@dataclass(frozen=True)
class ThroughputLimit(RecordedEffect):
    """The effect: a maximum throughput of these tables."""

    tables: Sequence[str]
    kinds: Sequence[str]
    """Read, Write."""
    since: float
    """AWS epoch seconds."""

    @classmethod
    async def inject(
        cls, context: FaultContext, service: str, operation: str | None, *, probability: float, rate: float | None
    ) -> ThroughputLimit:
        """Raises `NotSupported` for anything but DynamoDB's reads and writes."""
        if service != "dynamodb":
            raise NotSupported(
                f"AWS cannot be made to throttle {service}", next="DynamoDB has on-demand maximum throughput"
            )
        kinds = _kinds(operation)
        units = max(1, round(rate if rate is not None else _USUAL * (1.0 - probability)))
        stack = context.system.stack
        tables = tuple(dict.fromkeys((stack.sessions_table_name, stack.mail_table_name)))
        before = {each: _maximum(await _active(context, each)) for each in tables}
        calls = [_undo_call(each, before[each]) for each in tables]
        now = context.clock.now()
        undo_record = UndoRecord.begin(
            context.undo_book, f"throttle {context.ids.marker()}", calls, until=now + DEADLINE
        )
        limited = cls(context, undo_record, tables, kinds, now)
        wanted = {f"Max{kind}RequestUnits": units if kind in kinds else _UNLIMITED for kind in ("Read", "Write")}
        try:
            for table in tables:
                if before[table] != wanted:
                    await context.aws.call("dynamodb", "update_table", TableName=table, OnDemandThroughput=wanted)
            for table in tables:
                await _active(context, table)
        except BaseException:
            await limited.undo()
            raise
        return limited

    async def verify(self) -> Observation:
        seen = await self.counts()
        return Observation(seen["throttled"] > 0, f"{seen['throttled']} calls throttled, according to CloudWatch")

    async def counts(self) -> Mapping[str, int]:
        return {"throttled": round(sum([await self._events(t, k) for t in self.tables for k in self.kinds]))}

    async def _events(self, table: str, kind: str) -> float:
        answer = await self.context.aws.call(
            "cloudwatch",
            "get_metric_statistics",
            Namespace="AWS/DynamoDB",
            MetricName=f"{kind}ThrottleEvents",
            Dimensions=[{"Name": "TableName", "Value": table}],
            StartTime=datetime.fromtimestamp(self.since // _MINUTE * _MINUTE, UTC),
            EndTime=datetime.fromtimestamp(self.context.clock.now() + _MINUTE, UTC),
            Period=_MINUTE,
            Statistics=["Sum"],
        )
        return sum(float(point["Sum"]) for point in answer["Datapoints"])


def _kinds(operation: str | None) -> Sequence[str]:
    if operation is None:
        return ("Read", "Write")
    if operation in _READS:
        return ("Read",)
    if operation in _WRITES:
        return ("Write",)
    raise NotSupported(f"AWS cannot be made to throttle dynamodb.{operation}", next="name a read, a write, or none")


async def _described(context: FaultContext, table: str) -> Mapping[str, Any]:
    answer = await context.aws.call("dynamodb", "describe_table", TableName=table)
    found: Mapping[str, Any] = answer["Table"]
    return found


async def _active(context: FaultContext, table: str) -> Mapping[str, Any]:
    """The description of a table, once it is ACTIVE."""
    return await eventually(
        lambda: _described(context, table),
        until=lambda table: table["TableStatus"] == "ACTIVE",
        within=_ACTIVE_WITHIN,
        clock=context.clock,
        describe=f"table {table} to be ACTIVE",
    )


def _maximum(table: Mapping[str, Any]) -> Mapping[str, int]:
    """A table's maximum; DescribeTable omits it when there is none."""
    had = table.get("OnDemandThroughput", {})
    return {name: int(had.get(name, _UNLIMITED)) for name in ("MaxReadRequestUnits", "MaxWriteRequestUnits")}


def _undo_call(table: str, before: Mapping[str, int]) -> UndoCall:
    """Restores the maximum; DynamoDB refuses an update without a change."""
    return UndoCall(
        "dynamodb",
        "update_table",
        {"TableName": table, "OnDemandThroughput": before},
        gone=("ResourceNotFoundException",),
        already=("will not change",),
        again=("ResourceInUseException", "LimitExceededException"),
    )
