"""Enums of botocore's models, which botocore itself does not check."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_UNCHECKED = frozenset({"ec2", "s3", "sqs"})
"""Services with texts of their own for a value they do not know, or that take more than their model says."""


def violations(service: str, value: Any, shape: Any) -> str:
    """The text of AWS for values outside of their enum; empty where there are none."""
    if service in _UNCHECKED or shape is None:
        return ""
    found = list(_violations(value, shape, ""))
    plural = "s" if len(found) > 1 else ""
    return f"{len(found)} validation error{plural} detected: {'; '.join(found)}" if found else ""


def _violations(value: Any, shape: Any, path: str) -> Iterator[str]:
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        for name, member in value.items():
            if name in shape.members:
                lowered = name[:1].lower() + name[1:]
                yield from _violations(member, shape.members[name], f"{path}.{lowered}" if path else lowered)
    elif kind == "list" and isinstance(value, list | tuple):
        for index, item in enumerate(value, 1):
            yield from _violations(item, shape.member, f"{path}.{index}.member")
    elif kind == "map" and isinstance(value, dict):
        for key, item in value.items():
            yield from _violations(item, shape.value, f"{path}.{key}.member")
    elif kind == "string" and shape.enum and value not in shape.enum:
        yield (
            f"Value '{value}' at '{path}' failed to satisfy constraint: Member must satisfy enum value set: "
            f"[{', '.join(shape.enum)}]"
        )
