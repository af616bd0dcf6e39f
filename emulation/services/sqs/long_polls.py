"""The long polls of one queue: first come, first served, woken only when a message may be there."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from ...time.clock import Clock

Answer = dict[str, Any]
Attempt = Callable[[], Awaitable[Answer]]
"""One receive that does not wait. Its answer has `Messages` when there were some."""


class Line:
    """Whoever may have made a message visible nudges the line; messages that become visible by time are `due`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: deque[asyncio.Event] = deque()
        self._due: list[float] = []
        self._timer: asyncio.TimerHandle | None = None
        self._dissolved = False
        self._closed = False

    def nudge(self) -> None:
        """A message may be there: let the first in line try."""
        if self._waiting:
            self._waiting[0].set()

    def due(self, at: float) -> None:
        """A message becomes visible at this AWS time, unless it is deleted or moved before."""
        if not self._waiting:
            self._forget_past()
        heapq.heappush(self._due, at)
        self._arm()

    async def receive(self, attempt: Attempt, seconds: float) -> Answer:
        """Stand in line until an attempt brings messages or so many AWS seconds have passed."""
        deadline = self._clock.now() + seconds
        place = asyncio.Event()
        self._waiting.append(place)
        self.nudge()
        self._arm()
        empty = False
        try:
            while True:
                last = not await self._woken(place, deadline) or self._dissolved
                if self._closed:
                    return {}
                place.clear()
                answer = await attempt()
                if answer.get("Messages") or last:
                    empty = not answer.get("Messages")
                    return answer
        finally:
            self._waiting.remove(place)
            if not empty:  # there was something, or it was cancelled when woken: there may be more for the next
                self.nudge()

    def dissolve(self) -> None:
        """There is nothing to wait for any more: everybody tries a last time and goes."""
        self._dissolved = True
        for place in self._waiting:
            place.set()

    def close(self) -> None:
        """Send everybody home with nothing."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        for place in self._waiting:
            place.set()

    async def _woken(self, place: asyncio.Event, deadline: float) -> bool:
        try:
            async with asyncio.timeout(max(0.0, self._clock.wall(deadline - self._clock.now()))):
                await place.wait()
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
        """Wake up at the next due time, as long as somebody waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting and self._due and not self._closed:
            delay = max(0.0, self._clock.wall(self._due[0] - self._clock.now()))
            self._timer = asyncio.get_running_loop().call_later(delay, self._ring)

    def _ring(self) -> None:
        if self._forget_past():
            self.nudge()
        self._arm()
