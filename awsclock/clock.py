"""AWS time as programs use it. The only module that reads a clock or sleeps in AWS time."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from .loop import Loop
from .page import Page
from .participant import Participant


class Timer(Protocol):
    """A callback that was set for later."""

    def cancel(self) -> None: ...


class AwsClock:
    """AWS time: that of a clock page, or origin + (wall time - origin) * scale. At scale 1 it is the wall clock.

    Seconds are AWS seconds, times are AWS epoch seconds, unless the text says otherwise. On a page, sleeping and
    timers need an event loop that takes part (`awsclock.loop.Loop`).
    """

    name = "a program"
    """Of this program, where the authority says what keeps the clock from jumping."""
    driver = False
    """Whether AWS time may jump while this program waits for an AWS deadline."""

    def __init__(self, scale: float = 1.0, origin: float | None = None, page: Page | None = None) -> None:
        """`origin`: the wall epoch seconds at which AWS time and wall time were equal; None: now."""
        if not scale > 0:
            raise ValueError(f"clock scale must be above 0 (1 is real time), got {scale!r}")
        if page is not None and scale != 1:
            raise ValueError(f"a clock that jumps has no scale, got {scale!r}")
        wall, self._since = time.time(), time.monotonic()
        self.scale, self.page = scale, page
        self.origin = wall if origin is None else origin
        self._base = self.origin + (wall - self.origin) * scale

    def now(self) -> float:
        if self.page is not None:
            return self.page.now() / 1e9
        return self._base + (time.monotonic() - self._since) * self.scale

    def now_ms(self) -> int:
        """Epoch milliseconds."""
        return int(self.now() * 1000)

    def utcnow(self) -> datetime:
        """Timezone-aware UTC."""
        return datetime.fromtimestamp(self.now(), UTC)

    def monotonic(self) -> float:
        """Wall seconds that only go forward; for durations of this machine's own work."""
        return time.monotonic()

    async def sleep(self, seconds: float, *, background: bool = False) -> None:
        """`background`: see `call_at`."""
        await self.sleep_until(self.now() + seconds, background=background)

    async def sleep_until(self, when: float, *, background: bool = False) -> None:
        """Returns at once when AWS time has reached `when`."""
        if when <= self.now():
            await asyncio.sleep(0)
            return
        over = asyncio.get_running_loop().create_future()
        timer = self.call_at(when, _end, over, background=background)
        try:
            await over
        finally:
            timer.cancel()

    async def sleep_wall(self, seconds: float) -> None:
        """Sleep for wall seconds, which count as work: the clock does not jump meanwhile."""
        with self.hold("a pause in wall time"):
            await asyncio.sleep(max(0.0, seconds))

    def call_at(self, when: float, callback: Callable[..., object], *arguments: Any, background: bool = False) -> Timer:
        """Call back at an AWS time. `background`: this timer alone does not let the clock of a driver jump, as it is
        of something that repeats for ever."""
        if self.page is None:
            return asyncio.get_running_loop().call_later(max(0.0, when - self.now()) / self.scale, callback, *arguments)
        return self._participant().call_at(when, callback, *arguments, background=background)

    def call_later(
        self, seconds: float, callback: Callable[..., object], *arguments: Any, background: bool = False
    ) -> Timer:
        return self.call_at(self.now() + seconds, callback, *arguments, background=background)

    @contextlib.asynccontextmanager
    async def timeout(self, seconds: float | None) -> AsyncIterator[asyncio.Timeout]:
        """As `asyncio.timeout`, in AWS seconds: raises TimeoutError. None: no limit."""
        async with self.timeout_at(None if seconds is None else self.now() + seconds) as limit:
            yield limit

    @contextlib.asynccontextmanager
    async def timeout_at(self, when: float | None) -> AsyncIterator[asyncio.Timeout]:
        """The same until an AWS time."""
        async with asyncio.timeout(None) as limit:
            timer = None if when is None else self.call_at(when, lambda: limit.reschedule(0))
            try:
                yield limit
            finally:
                if timer is not None:
                    timer.cancel()

    async def wait(
        self,
        futures: Iterable[asyncio.Future[Any]],
        seconds: float | None,
        *,
        return_when: str = asyncio.ALL_COMPLETED,
    ) -> tuple[set[asyncio.Future[Any]], set[asyncio.Future[Any]]]:
        """As `asyncio.wait` with a timeout in AWS seconds: the futures that are done, and those that are not."""
        waiting = set(futures)
        with contextlib.suppress(TimeoutError):
            async with self.timeout(seconds):
                return await asyncio.wait(waiting, return_when=return_when)
        return {each for each in waiting if each.done()}, {each for each in waiting if not each.done()}

    @contextlib.contextmanager
    def hold(self, reason: str) -> Iterator[None]:
        """Keep the clock from jumping, for work that no thread of this machine's watched programs shows: a child
        process, a container engine, a pause in wall time, a browser. Without effect on a clock that does not jump."""
        if self.page is None:
            yield
            return
        participant = self._participant()
        participant.hold(reason)
        try:
            yield
        finally:
            participant.release(reason)

    def take_part(self) -> None:
        """Let the running event loop take part in the clock from now on; otherwise its first timer does so."""
        if self.page is not None:
            self._participant()

    def _participant(self) -> Participant:
        assert self.page is not None
        return self._loop(asyncio.get_running_loop()).join(self.page, name=self.name, driver=self.driver)

    def pause_thread(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        """Block the calling thread, which is not `loop`'s, for AWS seconds."""
        over = threading.Event()
        loop.call_soon_threadsafe(self.call_later, seconds, over.set)
        over.wait()

    @staticmethod
    def _loop(loop: asyncio.AbstractEventLoop) -> Loop:
        if isinstance(loop, Loop):
            return loop
        raise RuntimeError(
            f"this event loop does not take part in the run's clock: expected {Loop.__module__}.Loop, got "
            f"{type(loop).__module__}.{type(loop).__qualname__}; next: start it by awsclock.loop.run or with "
            'loop_factory=Loop, or set emulated.clock = "scaled"'
        )


def _end(over: asyncio.Future[None]) -> None:
    if not over.done():
        over.set_result(None)


def opened(folder: str) -> Page:
    """The page in a folder, mapped once a process. Raises ClockPageError."""
    if folder not in _pages:
        _pages[folder] = Page(Path(folder))
    return _pages[folder]


_pages: dict[str, Page] = {}
