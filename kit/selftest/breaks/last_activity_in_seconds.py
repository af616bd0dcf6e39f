"""The row's `lastActivity` is in seconds: every session looks idle for half a century."""

from __future__ import annotations

from typing import Any

from ..breaking import Break, part, wrap


def apply() -> None:
    def by(row: Any) -> Any:
        def in_seconds(self: Any) -> Any:
            told = row(self)
            return told | {"lastActivity": told["lastActivity"] // 1000}

        return in_seconds

    wrap(part("hermes.sessions").Session, "row", by)


BREAK = Break("hermes", "cold_start", r"lastActivity: .*epoch seconds, expected epoch milliseconds", apply)
