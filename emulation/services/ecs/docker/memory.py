"""Enforces the memory limit of a task with several containers.

On Fargate they share one control group. The engine's API has no limit for a group of containers, so each may use the
task's memory, and when their processes together exceed it, as reported about once a second, the largest is killed.
"""

from __future__ import annotations

import asyncio

from .container import EngineContainer


class TaskMemory:
    """Limits a task's containers to `limit` bytes together. `watch` each of them; watching ends with the container."""

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
        """Stop watching."""
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
