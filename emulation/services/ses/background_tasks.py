"""Work that goes on after an answer was given: owned, logged when it fails, waited for at the end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any


class Errands:
    """A group of background tasks."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, what: str, work: Coroutine[Any, Any, None]) -> None:
        """Start it; a failure is logged as the failure of `what`."""
        task = asyncio.get_running_loop().create_task(self._guard(what, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """Wait until nothing is under way, errands of errands included."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def stop(self, grace: float = 2.0) -> None:
        """Let what is under way finish, at most so many wall seconds, then cancel it."""
        try:
            await asyncio.wait_for(self.settle(), grace)
        except TimeoutError:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _guard(self, what: str, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:
            self._log.exception("%s failed", what)
