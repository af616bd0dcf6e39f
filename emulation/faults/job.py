"""The slow part of a fault: begun at once, in order, and awaited by the request that asked for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from .fault import FaultRefused


class Job:
    """Runs one step after the other, even when an earlier one failed."""

    def __init__(self) -> None:
        self._last: asyncio.Task[None] | None = None

    def begin(self, step: Callable[[], Awaitable[None]]) -> None:
        before = self._last

        async def run() -> None:
            if before is not None:
                await asyncio.wait({before})
            await step()

        self._last = asyncio.create_task(run())

    async def settled(self) -> None:
        """Wait for all steps. Raises `FaultRefused` when the last one failed."""
        if self._last is None:
            return
        try:
            await asyncio.shield(self._last)
        except OSError as error:
            raise FaultRefused(str(error), status=409) from error
