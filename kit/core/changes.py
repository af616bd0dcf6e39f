"""Tells a wait when to look again: by changes where those are announced, else it has to poll.

    probe --looks_at("ecs")--> sources of the look        cloud, mailbox --notify("ecs")--> Changes
                                     \\                                                  /
                                      eventually: pause until one of its sources changed

A source is a service by botocore's name, or a part of the kit. A look at anything that is not announced is repeated by
the clock alone.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_sources: ContextVar[set[str] | None] = ContextVar("sources", default=None)


def looks_at(source: str) -> None:
    """Note that the probe under way depends on this source."""
    sources = _sources.get()
    if sources is not None:
        sources.add(source)


@contextmanager
def noted() -> Iterator[set[str]]:
    """The sources that are looked at inside the block, also by its tasks."""
    sources: set[str] = set()
    token = _sources.set(sources)
    try:
        yield sources
    finally:
        _sources.reset(token)


class Changes:
    """Announcements of changes. Safe under threads, and not bound to an event loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._announced: set[str] = set()
        self._number = 0
        self._last: dict[str, int] = {}
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def announce(self, *sources: str) -> None:
        """From now on every change of these sources is announced by `notify`."""
        with self._lock:
            self._announced.update(sources)

    def silence(self, *sources: str) -> None:
        """Changes of these are not announced any more."""
        with self._lock:
            self._announced.difference_update(sources)
        self.notify(*sources)

    def covers(self, sources: Collection[str]) -> bool:
        """Whether there are sources, and changes of all of them are announced."""
        return bool(sources) and self._announced.issuperset(sources)

    def notify(self, *sources: str) -> None:
        """These have, or may have, changed."""
        with self._lock:
            self._number += 1
            self._last.update(dict.fromkeys(sources, self._number))
            waiting, self._waiting = self._waiting, set()
        for loop, event in waiting:
            loop.call_soon_threadsafe(event.set)

    @property
    def number(self) -> int:
        """Of the latest announcement."""
        return self._number

    async def since(self, number: int, sources: Collection[str]) -> None:
        """Return when one of the sources has changed after announcement `number`."""
        loop = asyncio.get_running_loop()
        while True:
            event = asyncio.Event()
            with self._lock:
                if any(self._last.get(source, 0) > number for source in sources):
                    return
                self._waiting.add((loop, event))
            try:
                await event.wait()
            finally:
                self._waiting.discard((loop, event))
