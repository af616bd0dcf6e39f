"""Counts the capacity units that successful operations consume, by table and index.

Not counted: writes whose condition failed, and reads by PartiQL statements.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...core.controller import Aws, Call, Datum
from .capacity import Item, index_write_units, item_size, read_units, table_name, write_units

OPERATIONS = (
    "GetItem",
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "Query",
    "Scan",
    "BatchGetItem",
    "BatchWriteItem",
    "TransactGetItems",
    "TransactWriteItems",
)
_NARROWING = ("FilterExpression", "ProjectionExpression", "AttributesToGet", "QueryFilter", "ScanFilter", "Select")
"""Parameters that make an answer smaller than the data read."""

Key = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Schema:
    """A table's keys, and those of its indexes."""

    keys: tuple[str, ...]
    indexes: Mapping[str, tuple[str, ...]]

    def key(self, item: Item) -> Key:
        return tuple((name, repr(item.get(name))) for name in self.keys)


class ConsumedCapacity:
    """Consumed units since the last `collect`, by table and index."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._schemas: dict[str, Schema] = {}
        self._items: dict[str, dict[Key, Item]] = {}
        """The items as last written: a write is charged for the larger of the item before and after."""
        self._consumed: defaultdict[tuple[str, str, str], list[float]] = defaultdict(list)

    def forget(self, table: str) -> None:
        self._schemas.pop(table, None)
        self._items.pop(table, None)

    def collect(self) -> list[Datum]:
        data = [
            Datum(
                "AWS/DynamoDB",
                f"Consumed{kind}CapacityUnits",
                {"TableName": table, **({"GlobalSecondaryIndexName": index} if index else {})},
                tuple(units),
                "Count",
            )
            for (kind, table, index), units in self._consumed.items()
        ]
        self._consumed.clear()
        return data

    async def count(self, call: Call) -> None:
        """Count a successful operation. Items that its answer omits are read from the state store."""
        params = call.params
        shown = json.loads(call.answer) if call.answer and not any(name in params for name in _NARROWING) else {}
        match call.operation:
            case "UpdateItem" if params.get("ReturnValues") == "ALL_NEW" and "Attributes" in shown:
                await self._write(params["TableName"], shown["Attributes"], "PutItem")
            case "PutItem" | "UpdateItem" | "DeleteItem":
                await self._write(params["TableName"], params.get("Item") or params["Key"], call.operation)
            case "GetItem" if shown:
                self._add_read(params, item_size(shown.get("Item", {})))
            case "GetItem":
                await self._get(params["TableName"], params["Key"], consistent=bool(params.get("ConsistentRead")))
            case "Query" | "Scan" if "Items" in shown:
                self._add_read(params, sum(map(item_size, shown["Items"])))
            case "Query" | "Scan":
                await self._read(call.operation, params)
            case "BatchGetItem":
                await self._batch_get(params["RequestItems"])
            case "BatchWriteItem":
                await self._batch_write(params["RequestItems"])
            case "TransactGetItems":
                for one in params["TransactItems"]:
                    await self._get(one["Get"]["TableName"], one["Get"]["Key"], consistent=True, transactional=True)
            case "TransactWriteItems":
                for one in params["TransactItems"]:
                    await self._transact_write(one)

    async def _batch_get(self, wanted: Mapping[str, Mapping[str, Any]]) -> None:
        for table, one in wanted.items():
            for key in one["Keys"]:
                await self._get(table, key, consistent=bool(one.get("ConsistentRead")))

    async def _batch_write(self, writes: Mapping[str, list[Mapping[str, Any]]]) -> None:
        for table, ones in writes.items():
            for one in ones:
                if "PutRequest" in one:
                    await self._write(table, one["PutRequest"]["Item"], "PutItem")
                else:
                    await self._write(table, one["DeleteRequest"]["Key"], "DeleteItem")

    async def _transact_write(self, one: Mapping[str, Any]) -> None:
        ((kind, what),) = one.items()
        item = what.get("Item") or what["Key"]
        if kind == "ConditionCheck":  # charged as a write of the item
            schema = await self._schema(what["TableName"])
            there = await self._stored(what["TableName"], schema, item)
            self._add("Write", what["TableName"], "", write_units(there, there, transactional=True))
        else:
            operation = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem"}[kind]
            await self._write(what["TableName"], item, operation, transactional=True)

    async def _write(self, name: str, item: Item, operation: str, *, transactional: bool = False) -> None:
        table = table_name(name)
        schema = await self._schema(table)
        known = self._items.setdefault(table, {})
        key = schema.key(item)
        before = known.get(key)
        after: Item | None = None
        if operation == "PutItem":
            after = item
        elif operation == "UpdateItem":
            after = await self._stored(table, schema, item)
        if after is None:
            known.pop(key, None)
        else:
            known[key] = after
        self._add("Write", table, "", write_units(before, after, transactional=transactional))
        for index, keys in schema.indexes.items():
            self._add("Write", table, index, index_write_units(before, after, keys))

    async def _get(self, name: str, key: Item, *, consistent: bool, transactional: bool = False) -> None:
        table = table_name(name)
        item = await self._stored(table, await self._schema(table), key)
        size = 0 if item is None else item_size(item)
        self._add("Read", table, "", read_units(size, consistent=consistent, transactional=transactional))

    async def _read(self, operation: str, params: Mapping[str, Any]) -> None:
        whole = {name: value for name, value in params.items() if name not in _NARROWING}
        if operation == "Scan" or "FilterExpression" in params or "ProjectionExpression" in params:
            whole = _without_unused(whole)
        answer = await self._aws.store("dynamodb", operation, **whole)
        self._add_read(params, sum(item_size(item) for item in answer.get("Items", ())))

    def _add_read(self, params: Mapping[str, Any], size: int) -> None:
        units = read_units(size, consistent=bool(params.get("ConsistentRead")))
        self._add("Read", table_name(params["TableName"]), params.get("IndexName", ""), units)

    async def _stored(self, table: str, schema: Schema, item: Item) -> Item | None:
        key = {name: item[name] for name in schema.keys}
        answer = await self._aws.store("dynamodb", "GetItem", TableName=table, Key=key, ConsistentRead=True)
        stored: Item | None = answer.get("Item")
        return stored

    async def _schema(self, name: str) -> Schema:
        table = table_name(name)
        if table not in self._schemas:
            described = (await self._aws.store("dynamodb", "DescribeTable", TableName=table))["Table"]
            self._schemas[table] = Schema(
                _names(described),
                {one["IndexName"]: _names(one) for one in described.get("GlobalSecondaryIndexes", ())},
            )
        return self._schemas[table]

    def _add(self, kind: str, table: str, index: str, units: float) -> None:
        if units:
            self._consumed[kind, table, index].append(units)


def _names(described: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(one["AttributeName"] for one in described["KeySchema"])


def _without_unused(params: dict[str, Any]) -> dict[str, Any]:
    """Drop the names and values that only a filter or a projection used: DynamoDB refuses unused ones."""
    text = params.get("KeyConditionExpression", "")
    for kind in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
        left = {name: value for name, value in params.get(kind, {}).items() if name in text}
        params.pop(kind, None)
        if left:
            params[kind] = left
    return params
