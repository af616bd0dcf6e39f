"""When DynamoDB refuses calls, clients are told that there is no such thing."""

from __future__ import annotations

from typing import Any

from ..breaking import Break, part, wrap


def apply() -> None:
    def by(error: Any) -> Any:
        def told(status: int, message: str) -> Any:
            return error(404 if status == 503 else status, message)

        return told

    wrap(part("answers"), "error", by)


BREAK = Break("hermes", "recovery", r"an error of the server's", apply)
