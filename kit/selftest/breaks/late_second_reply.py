"""A mail is answered again half a minute later, when its reply has long been read."""

import asyncio
from typing import Any

from ..breaking import Break

_LATER = 30.0
"""AWS seconds; Hermes goes to sleep a minute after its last work, at the earliest."""

BREAK = Break(
    "hermes", "hostile_input", r"more than one reply to <\S+ of \S+", mixes=r"exactly_once: .* got \d+ replies"
)

_pending: set[asyncio.Task[None]] = set()


@BREAK.replaces("hermes.replies", "Replies.send")
async def again_later(send: Any, replies: Any, reply: Any) -> Any:
    async def again() -> None:
        await replies._clock.sleep(_LATER)
        await send(replies, reply)

    task = asyncio.create_task(again())
    _pending.add(task)
    task.add_done_callback(_pending.discard)
    return await send(replies, reply)
