"""Pages of the List operations, identifiers of the Describe operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....core.pagination import paginate
from ..errors import invalid

_PAGE = 100


def page(items: Sequence[str], params: Mapping[str, Any], key: str, *, default: int = _PAGE) -> dict[str, Any]:
    """One page of answers below `key`, with the token of the next one. Raises InvalidParameterException."""
    size = params.get("maxResults") or default
    if not 1 <= size <= _PAGE:
        raise invalid(f"Invalid maxResults, expected a number between 1 and {_PAGE}")
    return paginate(items, params.get("nextToken"), size, invalid("Invalid token")).answer(key, "nextToken")


def described(params: Mapping[str, Any], key: str, *, most: int) -> list[str]:
    """The identifiers to describe. Raises InvalidParameterException for none or too many."""
    identifiers: list[str] = params[key]
    if not identifiers:
        raise invalid(f"{key.capitalize()} cannot be empty.")
    if len(identifiers) > most:
        raise invalid(f"{key.capitalize()} cannot have more than {most} elements.")
    return identifiers
