"""The row's `ttl` is in milliseconds: DynamoDB would keep it for fifty thousand years."""

from __future__ import annotations

from typing import Any

from ..breaking import Break, part, wrap


def apply() -> None:
    def by(row: Any) -> Any:
        def in_milliseconds(self: Any) -> Any:
            told = row(self)
            return told | {"ttl": told["ttl"] * 1000}

        return in_milliseconds

    wrap(part("hermes.sessions").Session, "row", by)


BREAK = Break(
    "hermes", "cold_start", r"the row \S+ of table[\s\S]*ttl: .*epoch milliseconds, expected epoch seconds", apply
)
