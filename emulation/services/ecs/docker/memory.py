"""The memory of a task with several containers.

On Fargate they are in one control group, which has the task's size. The engine's API can make none with a limit around
containers, so each of them alone may use what its task has, and together they are watched: what their processes hold,
as the engine tells it about once a second, and when that is more than the task has, the largest is killed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .container import EngineContainer


class TaskMemory:
    """Holds a task's containers to `limit` bytes together. `watch` each of them; it ends with them."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: dict[EngineContainer, int] = {}
        self._doomed: set[EngineContainer] = set()
        self._watching: set[asyncio.Task[None]] = set()

    def watch(self, container: EngineContainer) -> None:
        watching = asyncio.create_task(self._watch(container))
        self._watching.add(watching)
        watching.add_done_callback(self._watching.discard)

    async def close(self) -> None:
        """Look no more."""
        for each in self._watching:
            each.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)

    async def _watch(self, container: EngineContainer) -> None:
        try:
            async for held in container.memory():
                if container in self._doomed:
                    return
                self._held[container] = held
                if sum(self._held.values()) > self._limit:
                    largest = max(self._held, key=lambda each: self._held[each])
                    largest.kill_for_memory()
                    self._doomed.add(largest)
                    del self._held[largest]
        finally:
            self._held.pop(container, None)
            self._doomed.discard(container)


def held(stats: Mapping[str, Any]) -> int:
    """Bytes that the processes of a container hold and the kernel cannot take back, of what the engine tells. Files it
    has read are not among them."""
    told = stats.get("memory_stats", {}).get("stats", {})
    return int(told.get("anon", told.get("total_rss", 0)))
