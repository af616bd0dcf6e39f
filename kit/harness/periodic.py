"""Something that is done again and again for as long as a block lasts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from ..core.clock import Clock

_AT_ONCE = 4
"""How many may wait for their answers; a service that never answers is not asked for ever more."""


@asynccontextmanager
async def repeatedly(clock: Clock, every: float, act: Callable[[], Awaitable[None]], name: str) -> AsyncIterator[None]:
    """Begin `act` every so many AWS seconds, whether or not it has been answered the last time.

    On a busy machine an answer may take longer than an idle time does on a fast clock: who waited for it would
    keep nothing alive. What `act` expects to go wrong it records itself: what it raises ends nothing at once, and the
    first of it is raised at the end of the block, unless the block itself has failed.
    """
    under_way: set[asyncio.Task[None]] = set()
    raised: list[BaseException] = []

    async def once() -> None:
        await act()

    def ended(task: asyncio.Task[None]) -> None:
        under_way.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            raised.append(error)

    async def repeat() -> None:
        while True:
            if len(under_way) < _AT_ONCE:
                task = asyncio.create_task(once(), name=name)
                under_way.add(task)
                task.add_done_callback(ended)
            await clock.sleep(every)

    repeating = asyncio.create_task(repeat(), name=f"{name}, again and again")
    try:
        yield
    finally:
        left = [repeating, *under_way]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
    if raised:
        raise raised[0]
