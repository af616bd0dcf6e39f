"""The idle timeout of a load balancer's connections, in AWS time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType

from ....awsclock.clock import Timer
from ...time.clock import Clock


class IdleTimer:
    """Calls back when nothing has passed for `seconds`. `start` and `stop` may be repeated."""

    def __init__(self, clock: Clock, seconds: float, expired: Callable[[], object]) -> None:
        self.seconds = seconds
        self._clock = clock
        self._expired = expired
        self._last = 0.0
        self._timer: Timer | None = None

    def start(self) -> None:
        self.passed()
        if self._timer is None:
            self._timer = self._clock.call_later(self.seconds, self._look)

    def passed(self) -> None:
        """Something has passed: the time begins again."""
        self._last = self._clock.now()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        due = self._last + self.seconds
        self._timer = None
        if due > self._clock.now():
            self._timer = self._clock.call_at(due, self._look)
        else:
            self._expired()


class IdleTimeout:
    """A block that raises TimeoutError when nothing has passed for `seconds`."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._limit = asyncio.timeout(None)
        self._timer = IdleTimer(clock, seconds, self._expire)
        self.passed = self._timer.passed

    async def __aenter__(self) -> IdleTimeout:
        await self._limit.__aenter__()
        self._timer.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.stop()
        await self._limit.__aexit__(kind, error, trace)

    @property
    def expired(self) -> bool:
        return self._limit.expired()

    def _expire(self) -> None:
        self._limit.reschedule(0)
