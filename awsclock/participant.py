"""What an event loop publishes about itself on a clock page: idle or busy, and its next AWS deadline."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import math
import os
import threading
from collections.abc import Callable
from typing import Any

from .page import NEVER, Page, ring

SLOT_VARIABLE = "CLOCK_SLOT"
"""The slot that the cloud has reserved for a task's process."""
_ROUNDING = 1_000
"""Nanoseconds: an epoch time as a float has steps of 240 ns, and no timer may fire before its time."""


class AwsTimer:
    """A callback at an AWS time; as asyncio's TimerHandle, it can be cancelled."""

    __slots__ = ("arguments", "background", "callback", "deadline", "participant")

    def __init__(
        self,
        participant: Participant,
        deadline: int,
        callback: Callable[..., object],
        arguments: tuple[Any, ...],
        background: bool,
    ) -> None:
        self.participant = participant
        self.deadline = deadline
        self.callback: Callable[..., object] | None = callback
        self.arguments = arguments
        self.background = background

    def cancel(self) -> None:
        if self.callback is not None:
            self.callback = None
            self.participant.forget(self)

    def run(self) -> None:
        """Call back, unless it was cancelled after it was due."""
        callback = self.callback
        if callback is not None:
            self.cancel()
            callback(*self.arguments)


class Participant:
    """One event loop on one page. Its timers are the loop's AWS timers."""

    def __init__(self, page: Page, call_soon: Callable[..., object], *, name: str, driver: bool) -> None:
        self.page = page
        self._call_soon = call_soon
        self._driver = driver
        self._timers: list[tuple[int, int, AwsTimer]] = []
        self._numbers = itertools.count()
        self._foreground = 0
        self._holds: list[str] = []
        self._lock = threading.Lock()
        reserved = os.environ.pop(SLOT_VARIABLE, "")
        if reserved:
            self.slot = int(reserved)
            page.take(self.slot)
        else:
            self.slot = page.claim(name)
        self.fifo = page.fifo(self.slot)
        self._authority = page.fifo()

    def close(self) -> None:
        self.page.free(self.slot, os.getpid())
        ring(self._authority)
        os.close(self.fifo)
        os.close(self._authority)

    def call_at(
        self, when: float, callback: Callable[..., object], *arguments: Any, background: bool = False
    ) -> AwsTimer:
        """Call at AWS time `when`, epoch seconds; see `AwsClock.call_at`."""
        deadline = min(math.ceil(when * 1e9) + _ROUNDING, NEVER - 1)
        timer = AwsTimer(self, deadline, callback, arguments, background)
        heapq.heappush(self._timers, (deadline, next(self._numbers), timer))
        self._foreground += not background
        return timer

    def forget(self, timer: AwsTimer) -> None:
        """A timer was cancelled or fired."""
        self._foreground -= not timer.background

    def fire(self) -> bool:
        """Schedule what is due; whether there was any."""
        fired, now = False, self.page.now()
        while self._next() <= now:
            timer = heapq.heappop(self._timers)[2]
            self._call_soon(timer.run)
            fired = True
        return fired

    def idle(self) -> float | None:
        """Publish that the loop is about to block; real seconds until its next AWS deadline at pace 1."""
        deadline = self._next()
        if self.page.idle(self.slot, deadline, drives=self._driver and self._foreground > 0):
            ring(self._authority)
        return None if deadline == NEVER else max(0, deadline - self.page.now()) / 1e9

    def busy(self) -> None:
        self.page.busy(self.slot)

    def woken(self) -> None:
        """Empty the pipe by which the authority wakes the loop."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.fifo, 4096)

    def hold(self, reason: str) -> None:
        """Keep the clock from jumping until `release`. From any thread, as often as needed."""
        with self._lock:
            self._holds.append(reason)
            self.page.hold(self.slot, len(self._holds), reason)

    def release(self, reason: str) -> None:
        """End one hold for this reason."""
        with self._lock:
            self._holds.remove(reason)
            self.page.hold(self.slot, len(self._holds), self._holds[-1] if self._holds else "")
            if not self._holds:
                ring(self._authority)

    def _next(self) -> int:
        timers = self._timers
        while timers and timers[0][2].callback is None:
            heapq.heappop(timers)
        return timers[0][0] if timers else NEVER
