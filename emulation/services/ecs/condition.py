"""Waits for conditions over state that other tasks change."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ...time.clock import Clock

T = TypeVar("T")


class Condition:
    """Like `asyncio.Condition` without a lock: `notify` after every change, and all waiters check their predicates."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next = asyncio.Event()

    def notify(self) -> None:
        event, self._next = self._next, asyncio.Event()
        event.set()

    async def wait_for(self, predicate: Callable[[], bool], within: float | None = None) -> bool:
        """Whether the predicate became true within so many AWS seconds; None for no limit."""
        try:
            async with self._clock.timeout(within):
                while not predicate():
                    await self._next.wait()
        except TimeoutError:
            return False
        return True

    async def cancel_when(self, predicate: Callable[[], bool], work: Awaitable[T]) -> T | None:
        """The work's result; None, after cancelling the work, if the predicate became true first."""
        working = asyncio.ensure_future(work)
        waiting = asyncio.create_task(self.wait_for(predicate))
        try:
            await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
            return await working if working.done() else None
        finally:
            for each in (working, waiting):
                each.cancel()
            await asyncio.gather(working, waiting, return_exceptions=True)
