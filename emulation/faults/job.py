"""What a fault does that takes a moment: begun at once, in its order, and waited for by whoever asked for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from .fault import FaultRefused


class Job:
    """One thing after the other, whatever became of the one before."""

    def __init__(self) -> None:
        self._last: asyncio.Task[None] | None = None

    def begin(self, what: Callable[[], Awaitable[None]]) -> None:
        before = self._last

        async def then() -> None:
            if before is not None:
                await asyncio.wait({before})
            await what()

        self._last = asyncio.create_task(then())

    async def settled(self) -> None:
        """Wait for all of it. Raises `FaultRefused` when the last one failed."""
        if self._last is None:
            return
        try:
            await asyncio.shield(self._last)
        except OSError as error:
            raise FaultRefused(str(error), status=409) from error
