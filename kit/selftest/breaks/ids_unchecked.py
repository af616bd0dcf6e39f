"""Hermes takes whatever a caller calls an id, paths and commands too."""

from __future__ import annotations

from typing import Any

from ..breaking import Break, part, wrap


def apply() -> None:
    names = part("names")

    def by(checked: Any) -> Any:
        def taken(value: object) -> Any:
            return value if isinstance(value, str) else checked(value)

        return taken

    wrap(names, "client_id", by)
    wrap(names, "user_id", by)


BREAK = Break("hermes", "hostile_input", r"the status of an activation with clientId '", apply)
