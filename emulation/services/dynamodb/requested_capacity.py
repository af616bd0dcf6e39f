"""How many request units a call takes of which table, as far as it can be told before it is answered.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

READS = frozenset({"GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"})
WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"})
_KB = 1024


@dataclass(frozen=True)
class Demand:
    table: str
    """A name."""
    units: float


def demands(operation: str, params: Mapping[str, Any]) -> list[Demand]:
    """What a read or write asks for, table by table. Reads count the smallest item (4 KB), as their answer is not
    known yet; writes count a kilobyte begun of what they send, and one where that does not tell the item's size."""
    return [Demand(_name(table), units) for table, units in _demands(operation, params)]


def _demands(operation: str, params: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    if operation in ("BatchGetItem", "BatchWriteItem"):
        for table, entries in params.get("RequestItems", {}).items():
            if operation == "BatchGetItem":
                yield table, _read(entries) * len(entries.get("Keys", ()))
            else:
                yield table, sum(_write(entry.get("PutRequest", {}).get("Item")) for entry in entries)
    elif operation in ("TransactGetItems", "TransactWriteItems"):
        for item in params.get("TransactItems", ()):
            for action in item.values():
                units = 1.0 if operation == "TransactGetItems" else _write(action.get("Item"))
                yield action["TableName"], 2 * units
    elif operation in READS:
        yield params["TableName"], _read(params)
    elif operation in WRITES:
        yield params["TableName"], _write(params.get("Item"))


def _read(params: Mapping[str, Any]) -> float:
    return 1.0 if params.get("ConsistentRead") else 0.5


def _write(item: Mapping[str, Any] | None) -> float:
    return float(max(1, math.ceil(_size(item) / _KB)))


def _size(value: Any) -> int:
    """Bytes of names and values, without what DynamoDB adds for nesting."""
    if isinstance(value, Mapping):
        return sum(len(str(key)) + _size(item) for key, item in value.items())
    if isinstance(value, list | set | tuple):
        return sum(_size(item) for item in value)
    return len(value) if isinstance(value, str | bytes) else 1


def _name(table: str) -> str:
    """A table may be given by ARN."""
    return table.rpartition("/")[2]
