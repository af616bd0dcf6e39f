"""Item sizes and capacity units, as DynamoDB computes them.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html and
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Mapping
from typing import Any

READ_BLOCK, WRITE_BLOCK = 4096, 1024
"""Bytes of one read and of one write request unit."""
_DOCUMENT_OVERHEAD, _ELEMENT_OVERHEAD = 3, 1

Item = Mapping[str, Mapping[str, Any]]
"""Attribute name → typed value, as in API calls."""


def item_size(item: Item) -> int:
    """Bytes of attribute names in UTF-8, and of values."""
    return sum(len(name.encode()) + value_size(value) for name, value in item.items())


def value_size(value: Mapping[str, Any]) -> int:
    """Bytes of one typed value."""
    ((kind, held),) = value.items()
    match kind:
        case "S":
            return len(held.encode())
        case "N":
            return _number_size(held)
        case "B":
            return _binary_size(held)
        case "SS":
            return sum(len(one.encode()) for one in held)
        case "NS":
            return sum(map(_number_size, held))
        case "BS":
            return sum(map(_binary_size, held))
        case "L":
            return _DOCUMENT_OVERHEAD + sum(_ELEMENT_OVERHEAD + value_size(one) for one in held)
        case "M":
            parts = (len(name.encode()) + value_size(one) + _ELEMENT_OVERHEAD for name, one in held.items())
            return _DOCUMENT_OVERHEAD + sum(parts)
        case _:  # NULL and BOOL
            return 1


def _number_size(text: str) -> int:
    """One byte for two significant digits, plus one."""
    digits = text.lstrip("-+").partition("e")[0].partition("E")[0].replace(".", "").strip("0")
    return math.ceil(len(digits) / 2) + 1


def _binary_size(held: bytes | str) -> int:
    return len(held if isinstance(held, bytes) else base64.b64decode(held))


def write_units(before: Item | None, after: Item | None, *, transactional: bool = False) -> float:
    """A unit for each started KB of the larger of the item before and after, at least one; double in a transaction."""
    larger = max((item_size(item) for item in (before, after) if item is not None), default=0)
    return max(1, math.ceil(larger / WRITE_BLOCK)) * (2 if transactional else 1)


def index_write_units(before: Item | None, after: Item | None, keys: Iterable[str]) -> float:
    """Units of a table write for an index that projects all attributes: of no entry, one, or two when its key
    changes."""
    names = tuple(keys)
    old, new = (item if item is not None and all(name in item for name in names) else None for item in (before, after))
    if old is None and new is None:
        return 0
    if old is not None and new is not None:
        if old == new:
            return 0
        if any(old[name] != new[name] for name in names):
            return write_units(old, None) + write_units(None, new)
    return write_units(old, new)


def read_units(size: int, *, consistent: bool, transactional: bool = False) -> float:
    """Half a unit for each started 4 KB of `size` bytes, one if consistent, two in a transaction."""
    blocks = max(1, math.ceil(size / READ_BLOCK))
    return blocks * (2 if transactional else 1 if consistent else 0.5)


def table_name(table: str) -> str:
    """The name of a table given by name or ARN."""
    return table.rpartition("/")[2]
