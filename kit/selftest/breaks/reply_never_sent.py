"""The reply is written and never sent."""

from __future__ import annotations

from typing import Any

from ..breaking import Break, part


def apply() -> None:
    async def send(_self: Any, _reply: Any) -> str:
        return "lost"

    part("hermes.replies").Replies.send = send


BREAK = Break("hermes", "email_to_preview", r"a reply to <\S+ at ", apply)
