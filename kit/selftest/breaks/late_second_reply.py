"""A mail is answered again half a minute later, when its reply has long been read."""

from __future__ import annotations

import asyncio
from typing import Any

from ..breaking import Break, part, wrap

_LATER = 30.0
"""AWS seconds; Hermes goes to sleep a minute after its last work, at the earliest."""


def apply() -> None:
    pending: set[asyncio.Task[None]] = set()

    def by(send: Any) -> Any:
        async def again(self: Any, reply: Any) -> None:
            await self._clock.sleep(_LATER)
            await send(self, reply)

        async def twice(self: Any, reply: Any) -> Any:
            task = asyncio.create_task(again(self, reply))
            pending.add(task)
            task.add_done_callback(pending.discard)
            return await send(self, reply)

        return twice

    wrap(part("hermes.replies").Replies, "send", by)


BREAK = Break("hermes", "hostile_input", r"more than one reply to <\S+ of \S+", apply)
