"""Enforces the on-demand maximum throughput of tables by throttling calls.

    UpdateTable OnDemandThroughput --> Limit --(calls over the wire)--> ProvisionedThroughputExceededException
                                          \\--> AWS/DynamoDB WriteThrottleEvents, ReadThrottleEvents, ThrottledRequests

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode-max-throughput.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ...core.controller import Call, Context, Datum, Handler, Operation
from ...core.errors import AwsError
from ...gateway.intercept import InterceptedCall, Interceptor
from ..controller_base import ControllerBase
from .capacity import table_name
from .requested_capacity import READS, WRITES, demands
from .throughput_limit import UNLIMITED, Limit

UPDATING_SECONDS = 5.0
"""AWS seconds for which a table is UPDATING after its maximum changed."""

_MESSAGE = (
    "Throughput exceeds the maximum OnDemandThroughput configured on table or index. "
    "Consider increasing the maximum with the UpdateTable API."
)


class OnDemandThroughput(ControllerBase):
    """A `Controller` and a `MetricSource`. Adds itself to `interceptors`, the gateway's."""

    def __init__(self, ctx: Context, interceptors: list[Interceptor]) -> None:
        self._ctx = ctx
        self._interceptors = interceptors
        self._limits: dict[str, Limit] = {}
        self._throttled: Counter[tuple[str, str, str]] = Counter()
        """By table, direction and operation, since the last collect."""

    def handlers(self) -> Mapping[Operation, Handler]:
        return {
            ("dynamodb", "CreateTable"): self._create,
            ("dynamodb", "UpdateTable"): self._update,
            ("dynamodb", "DescribeTable"): self._describe,
            ("dynamodb", "DeleteTable"): self._delete,
        }

    async def start(self) -> None:
        self._interceptors.append(self._intercept)

    async def stop(self) -> None:
        if self._intercept in self._interceptors:
            self._interceptors.remove(self._intercept)

    async def collect(self) -> Iterable[Datum]:
        counted, self._throttled = self._throttled, Counter()
        data, totals = [], Counter[tuple[str, str]]()
        for (table, direction, operation), count in counted.items():
            totals[table, direction] += count
            data.append(_events("ThrottledRequests", {"TableName": table, "Operation": operation}, count))
        for (table, direction), count in totals.items():
            for name in ("ThrottleEvents", "MaxOnDemandThroughputThrottleEvents"):
                data.append(_events(f"{direction}{name}", {"TableName": table}, count))
        return data

    async def _create(self, call: Call) -> dict[str, Any]:
        limit = self._limit(call.params, None, call.params.get("BillingMode", "PROVISIONED"), since=0.0)
        answer = await self._ctx.aws.store("dynamodb", "CreateTable", **_without(call.params))
        name = answer["TableDescription"]["TableName"]
        self._limits.pop(name, None)
        if limit is not None:
            self._limits[name] = limit
        return {"TableDescription": self._described(answer["TableDescription"])}

    async def _update(self, call: Call) -> dict[str, Any]:
        name = table_name(call.params["TableName"])
        before = self._limits.get(name)
        if before is not None and self._is_updating(before) and call.caller.kind != "service":
            raise AwsError(
                "ResourceInUseException", f"Attempt to change a resource which is still in use: Table: {name}"
            )
        if "OnDemandThroughput" not in call.params:
            answer = await self._ctx.aws.store("dynamodb", "UpdateTable", **call.params)
            return {"TableDescription": self._described(answer["TableDescription"])}
        table = (await self._ctx.aws.store("dynamodb", "DescribeTable", TableName=name))["Table"]
        mode = call.params.get("BillingMode") or table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
        limit = self._limit(call.params, before, mode, since=self._ctx.clock.now() + UPDATING_SECONDS)
        rest = _without(call.params)
        if rest.keys() - {"TableName"}:
            table = (await self._ctx.aws.store("dynamodb", "UpdateTable", **rest))["TableDescription"]
        assert limit is not None
        self._limits[name] = limit
        return {"TableDescription": self._described(table)}

    async def _describe(self, call: Call) -> dict[str, Any]:
        answer = await self._ctx.aws.store("dynamodb", "DescribeTable", **call.params)
        return {"Table": self._described(answer["Table"])}

    async def _delete(self, call: Call) -> dict[str, Any]:
        answer = await self._ctx.aws.store("dynamodb", "DeleteTable", **call.params)
        self._limits.pop(table_name(call.params["TableName"]), None)
        return answer

    def _limit(self, params: Mapping[str, Any], before: Limit | None, mode: str, *, since: float) -> Limit | None:
        """The limit that the request sets, with members it omits from `before`; None if it sets none.
        Raises ValidationException."""
        wanted = params.get("OnDemandThroughput")
        if wanted is None:
            return None
        if mode != "PAY_PER_REQUEST":
            raise AwsError(
                "ValidationException",
                "One or more parameter values were invalid: OnDemandThroughput can only be specified when BillingMode "
                "is PAY_PER_REQUEST",
            )
        for name, value in wanted.items():
            if value != UNLIMITED and value < 1:
                raise AwsError("ValidationException", f"{name} must be -1 (no maximum) or at least 1, got {value}")
        return Limit(
            wanted.get("MaxReadRequestUnits", before.reads if before else UNLIMITED),
            wanted.get("MaxWriteRequestUnits", before.writes if before else UNLIMITED),
            since,
        )

    def _is_updating(self, limit: Limit) -> bool:
        return self._ctx.clock.now() < limit.since

    def _described(self, table: Mapping[str, Any]) -> dict[str, Any]:
        limit = self._limits.get(table["TableName"])
        if limit is None:
            return dict(table)
        described = {**table, "OnDemandThroughput": dict(limit.description)}
        if self._is_updating(limit):
            described["TableStatus"] = "UPDATING"
        return described

    async def _intercept(self, call: InterceptedCall) -> AwsError | None:
        if call.service != "dynamodb" or call.region != self._ctx.region or not self._limits:
            return None
        direction = "Write" if call.operation in WRITES else "Read" if call.operation in READS else None
        if direction is None:
            return None
        for demand in demands(call.operation, call.read()):
            limit = self._limits.get(demand.table)
            if limit is None or limit.passes(self._ctx.clock, direction, demand.units):
                continue
            self._throttled[demand.table, direction, call.operation] += 1
            arn = f"arn:aws:dynamodb:{self._ctx.region}:{self._ctx.account}:table/{demand.table}"
            reason = {"reason": f"Table{direction}MaxOnDemandThroughputExceeded", "resource": arn}
            return AwsError("ProvisionedThroughputExceededException", _MESSAGE, ThrottlingReasons=[reason])
        return None


def _events(name: str, dimensions: Mapping[str, str], count: int) -> Datum:
    return Datum("AWS/DynamoDB", name, dimensions, (1.0,) * count, "Count")


def _without(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if name != "OnDemandThroughput"}
