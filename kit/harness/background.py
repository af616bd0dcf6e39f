"""Tasks that run for as long as a block lasts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from ..core.clock import Clock
from ..core.history import by_chance

T = TypeVar("T")

_CONCURRENT = 4
"""Periodic calls that may wait for their answers at the same time."""


@asynccontextmanager
async def background(work: Coroutine[Any, Any, T], name: str) -> AsyncIterator[asyncio.Task[T]]:
    """Run a coroutine beside the block; it is cancelled when the block ends. Its exception is left in the task."""
    task = asyncio.create_task(work, name=name)
    try:
        yield task
    finally:
        await cancel(task)


async def cancel(*tasks: asyncio.Task[Any] | None) -> None:
    """Cancel tasks and wait for their ends, however they end."""
    running = [task for task in tasks if task is not None]
    for task in running:
        task.cancel()
    if running:
        await asyncio.wait(running)
    for task in running:
        if not task.cancelled():
            task.exception()  # marks it as retrieved: asyncio does not log it


@asynccontextmanager
async def periodic(clock: Clock, every: float, act: Callable[[], Awaitable[None]], name: str) -> AsyncIterator[None]:
    """Call `act` every so many AWS seconds, without waiting for the previous call to end.

    On a fast clock an answer may take longer than a session's idle time, so waiting for it would keep nothing alive.
    An exception of `act` does not stop the calls; the first one is raised when the block ends without its own.
    """
    under_way: set[asyncio.Task[None]] = set()
    errors: list[BaseException] = []

    async def once() -> None:
        with by_chance():
            await act()

    def ended(task: asyncio.Task[None]) -> None:
        under_way.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            errors.append(error)

    async def repeat() -> None:
        while True:
            if len(under_way) < _CONCURRENT:
                task = asyncio.create_task(once(), name=name)
                under_way.add(task)
                task.add_done_callback(ended)
            await clock.sleep(every, background=True)

    repeating = asyncio.create_task(repeat(), name=f"{name}, periodic")
    try:
        yield
    finally:
        await cancel(repeating, *under_way)
    if errors:
        raise errors[0]
