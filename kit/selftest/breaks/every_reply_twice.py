"""A mail is answered twice."""

from typing import Any

from ..breaking import Break

BREAK = Break("hermes", "email_to_preview", r"what \S+ got replies to", mixes=r"exactly_once: .* got \d+ replies")


@BREAK.replaces("hermes.replies", "Replies.send")
async def twice(send: Any, *args: Any) -> Any:
    await send(*args)
    return await send(*args)
