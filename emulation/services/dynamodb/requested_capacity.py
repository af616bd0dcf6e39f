"""Request units of a call before it is answered, by table.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .capacity import read_units, table_name, write_units

READS = frozenset({"GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"})
WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"})


@dataclass(frozen=True)
class Demand:
    table: str
    """A name."""
    units: float


def demands(operation: str, params: Mapping[str, Any]) -> list[Demand]:
    """The units that a read or write requests, by table. A read counts the smallest item (4 KB), as its answer is not
    known yet; a write counts the item it sends, or 1 KB where it sends none."""
    return [Demand(table_name(table), units) for table, units in _demands(operation, params)]


def _demands(operation: str, params: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    if operation in ("BatchGetItem", "BatchWriteItem"):
        for table, entries in params.get("RequestItems", {}).items():
            if operation == "BatchGetItem":
                yield table, _read(entries) * len(entries.get("Keys", ()))
            else:
                yield table, sum(_write(entry.get("PutRequest", {})) for entry in entries)
    elif operation == "TransactGetItems":
        for item in params.get("TransactItems", ()):
            for action in item.values():
                yield action["TableName"], read_units(0, consistent=True, transactional=True)
    elif operation == "TransactWriteItems":
        for item in params.get("TransactItems", ()):
            for action in item.values():
                yield action["TableName"], _write(action, transactional=True)
    elif operation in READS:
        yield params["TableName"], _read(params)
    elif operation in WRITES:
        yield params["TableName"], _write(params)


def _read(params: Mapping[str, Any]) -> float:
    return read_units(0, consistent=bool(params.get("ConsistentRead")))


def _write(params: Mapping[str, Any], *, transactional: bool = False) -> float:
    try:
        return write_units(None, params.get("Item"), transactional=transactional)
    except (AttributeError, TypeError, ValueError):  # malformed: DynamoDB refuses it afterwards
        return write_units(None, None, transactional=transactional)
