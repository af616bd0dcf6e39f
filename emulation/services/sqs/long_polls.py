"""The long polls of one queue: first come, first served, woken only when a message may be available."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from ....awsclock.clock import Timer
from ...time.clock import Clock

Answer = dict[str, Any]
Attempt = Callable[[], Awaitable[Answer]]
"""A receive without waiting. Its answer has `Messages` unless the queue was empty."""


class LongPolls:
    """`notify` when a message may have become visible; `notify_at` when one will become visible."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: deque[asyncio.Event] = deque()
        self._due: list[float] = []
        self._timer: Timer | None = None
        self._queue_deleted = False
        self._closed = False

    def notify(self) -> None:
        """Let the first waiting poll try."""
        if self._waiting:
            self._waiting[0].set()

    def notify_at(self, at: float) -> None:
        """Let the first waiting poll try at this AWS time."""
        if not self._waiting:
            self._forget_past()
        heapq.heappush(self._due, at)
        self._arm()

    async def receive(self, attempt: Attempt, seconds: float) -> Answer:
        """Wait until an attempt receives messages, at most `seconds` of AWS time."""
        deadline = self._clock.now() + seconds
        woken = asyncio.Event()
        self._waiting.append(woken)
        self.notify()
        self._arm()
        empty = False
        try:
            while True:
                last = not await self._wait(woken, deadline) or self._queue_deleted
                if self._closed:
                    return {}
                woken.clear()
                answer = await attempt()
                if answer.get("Messages") or last:
                    empty = not answer.get("Messages")
                    return answer
        finally:
            self._waiting.remove(woken)
            if not empty:  # it received messages, or was cancelled when woken: there may be more for the next poll
                self.notify()

    def queue_deleted(self) -> None:
        """Let every poll try a last time and return."""
        self._queue_deleted = True
        for woken in self._waiting:
            woken.set()

    def close(self) -> None:
        """End every poll without messages."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        for woken in self._waiting:
            woken.set()

    async def _wait(self, woken: asyncio.Event, deadline: float) -> bool:
        try:
            async with self._clock.timeout_at(deadline):
                await woken.wait()
        except TimeoutError:
            return False
        return True

    def _forget_past(self) -> bool:
        now, any_past = self._clock.now(), False
        while self._due and self._due[0] <= now:
            heapq.heappop(self._due)
            any_past = True
        return any_past

    def _arm(self) -> None:
        """Set the timer for the next due time while polls wait."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting and self._due and not self._closed:
            self._timer = self._clock.call_at(self._due[0], self._on_timer)

    def _on_timer(self) -> None:
        if self._forget_past():
            self.notify()
        self._arm()
