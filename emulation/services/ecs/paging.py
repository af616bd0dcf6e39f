"""`maxResults` and `nextToken` of the List operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...core.pagination import paginate
from .names import invalid


def page(
    items: Sequence[str], params: Mapping[str, Any], key: str, *, default: int = 100, most: int = 100
) -> dict[str, Any]:
    """One page of answers below `key`, with the token of the next one. Raises InvalidParameterException."""
    size = params.get("maxResults") or default
    if not 1 <= size <= most:
        raise invalid(f"Invalid maxResults, expected a number between 1 and {most}")
    return paginate(items, params.get("nextToken"), size, invalid("Invalid token")).answer(key, "nextToken")
