"""Waiting for a condition over state that others change."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


class Condition:
    """Whoever changes the state tells; whoever waits looks again. Nobody polls, no change is missed."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def tell(self) -> None:
        event, self._next = self._next, asyncio.Event()
        event.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await self._next.wait()

    async def within(self, seconds: float, condition: Callable[[], bool]) -> bool:
        """Wait so many wall seconds at most; whether the condition came true."""
        try:
            async with asyncio.timeout(seconds):
                await self.until(condition)
        except TimeoutError:
            return False
        return True

    async def unless(self, condition: Callable[[], bool], work: Awaitable[T]) -> T | None:
        """The work's result; None when the condition came true first, and then the work is cancelled."""
        working = asyncio.ensure_future(work)
        waiting = asyncio.create_task(self.until(condition))
        try:
            await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
            return await working if working.done() else None
        finally:
            for each in (working, waiting):
                each.cancel()
            await asyncio.gather(working, waiting, return_exceptions=True)
