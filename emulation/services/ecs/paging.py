"""`maxResults` and `nextToken` of the List operations."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from .names import invalid


def page(
    items: Sequence[str], params: Mapping[str, Any], key: str, *, default: int = 100, most: int = 100
) -> dict[str, Any]:
    """One page of answers below `key`, with the token of the next one. Raises InvalidParameterException."""
    size = params.get("maxResults") or default
    if not 1 <= size <= most:
        raise invalid(f"Invalid maxResults, expected a number between 1 and {most}")
    start = _offset(params.get("nextToken"))
    answer: dict[str, Any] = {key: list(items[start : start + size])}
    if start + size < len(items):
        answer["nextToken"] = base64.urlsafe_b64encode(f"from:{start + size}".encode()).decode()
    return answer


def _offset(token: str | None) -> int:
    if not token:
        return 0
    try:
        kind, offset = base64.urlsafe_b64decode(token).decode().split(":")
        if kind == "from":
            return int(offset)
    except (binascii.Error, ValueError):
        pass
    raise invalid("Invalid token")
