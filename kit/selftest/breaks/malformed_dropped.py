"""A message that cannot be read is deleted, as if it had been dealt with."""

from __future__ import annotations

from typing import Any

from ..breaking import Break, part, wrap


def apply() -> None:
    malformed = part("hermes.envelope").Malformed

    def by(opened: Any) -> Any:
        async def lenient(body: str, fetch: Any) -> Any:
            try:
                return await opened(body, fetch)
            except malformed:
                return None

        return lenient

    wrap(part("hermes.consumer"), "opened", by)


BREAK = Break("hermes", "redelivery", r"dead.letter", apply)
