"""Tasks that outlive the call that started them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any


class BackgroundTasks:
    """Keeps references to running tasks and logs their failures."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Start a task; an exception in it is logged under `name`."""
        task = asyncio.get_running_loop().create_task(self._guard(name, work), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """Wait until no task runs, including tasks that running tasks start."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def stop(self, grace: float = 0.0) -> None:
        """Cancel the tasks that still run after `grace` wall seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self.settle()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _guard(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:
            self._log.exception("%s failed", name)
