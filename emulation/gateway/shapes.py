"""Checks values against botocore's shapes, as an SDK would send and read them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def conform(value: Any, shape: Any, path: str) -> Any:
    """A copy of the value without members that are None, with timestamps as aware UTC datetimes and blobs as bytes.

    Raises ValueError with the path of an unknown member or of a wrong type: serialisation would silently drop a
    handler's misspelt key.
    """
    if shape is None:
        if value:
            raise ValueError(f"{path} has no output, got {value!r}")
        return {}
    return _CONFORM.get(shape.type_name, _unchanged)(value, shape, path)


def _structure(value: Any, shape: Any, path: str) -> Any:
    if not isinstance(value, Mapping):
        raise ValueError(f"{path} must be a mapping ({shape.name}), got {value!r}")
    if shape.is_document_type:
        return value
    members = shape.members
    conformed = {}
    for name, member in value.items():
        if member is None:
            continue
        if name not in members:
            raise ValueError(f"{path}.{name} is not a member of {shape.name}; it has {', '.join(members)}")
        conformed[name] = conform(member, members[name], f"{path}.{name}")
    return conformed


def _list(value: Any, shape: Any, path: str) -> Any:
    if isinstance(value, str | bytes | Mapping):
        raise ValueError(f"{path} must be a list, got {value!r}")
    return [conform(item, shape.member, f"{path}[]") for item in value]


def _map(value: Any, shape: Any, path: str) -> Any:
    if not isinstance(value, Mapping):
        raise ValueError(f"{path} must be a mapping, got {value!r}")
    return {key: conform(item, shape.value, f"{path}[{key}]") for key, item in value.items()}


def _timestamp(value: Any, _: Any, path: str) -> Any:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    raise ValueError(f"{path} must be a datetime or epoch seconds, got {value!r}")


def _blob(value: Any, _: Any, path: str) -> Any:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    raise ValueError(f"{path} must be bytes, got {value!r}")


def _unchanged(value: Any, _: Any, __: str) -> Any:
    return value


_CONFORM = {"structure": _structure, "list": _list, "map": _map, "timestamp": _timestamp, "blob": _blob}
