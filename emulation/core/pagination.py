"""Splits a listing into pages that opaque tokens continue."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from .errors import AwsError

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    items: list[T]
    end: int
    """How many items of the listing come before the next page."""
    token: str | None
    """Continues the listing; None on the last page."""

    def answer(self, key: str, token_key: str = "NextToken") -> dict[str, object]:  # noqa: S107 - a parameter's name
        """The members of an API answer: the items and, unless this is the last page, the token."""
        return {key: self.items, **({token_key: self.token} if self.token else {})}


def paginate(items: Sequence[T], token: str | None, size: int, invalid_token: AwsError) -> Page[T]:
    """The page of `size` items that `token` continues. Raises `invalid_token` for a token that is no page's."""
    try:
        start = int(base64.b64decode(token, validate=True)) if token else 0
    except ValueError:
        raise invalid_token from None
    end = min(start + size, len(items))
    following = base64.b64encode(str(end).encode()).decode() if end < len(items) else None
    return Page(list(items[start:end]), end, following)
