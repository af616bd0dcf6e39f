"""A mail is answered twice."""

from __future__ import annotations

from typing import Any

from ..breaking import Break, part, wrap


def apply() -> None:
    def by(send: Any) -> Any:
        async def twice(self: Any, reply: Any) -> Any:
            await send(self, reply)
            return await send(self, reply)

        return twice

    wrap(part("hermes.replies").Replies, "send", by)


BREAK = Break("hermes", "email_to_preview", r"what \S+ got replies to", apply)
