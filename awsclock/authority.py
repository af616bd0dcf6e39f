"""The process that moves the time of a clock page forward when nothing can run before the next timer.

    python -I -S -c 'from awsclock.authority import main; main(folder)'

It jumps only while a driver (a scenario, a test) waits for an AWS deadline, and never past any deadline. What was due
at one time wakes one slot after the other, in their order, so that equal runs have equal orders. It ends when its
standard input closes.
"""

from __future__ import annotations

import gc
import os
import select
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from .page import BUSY, NEVER, Page, Slot, ring, started
from .quiescence import Ended, Fingerprint, NotQuiet, Threads, state

REST = 0.0003
"""Seconds between two looks. 0.1 ms sufficed in measurements on a kernel without full preemption."""
_LATE = 20_000_000
"""AWS nanoseconds after which a slot is woken although another still works."""
_QUIET_FOR = 5.0
"""Wall seconds without a jump, while a driver waits, after which the authority says why; again after twice as many."""
_RUNG = 0.02
"""Seconds to wait for a ring: an event loop rings when it is the last one to become idle."""
_AGAIN, _LONGEST = 0.0004, 0.005
"""Seconds to wait for a thread that still runs, which rings nothing: at first, and at most, twice as long each time."""


Look = Callable[[Iterable[int], Iterable[int]], Fingerprint]


class Authority:
    """Looks at one page."""

    def __init__(self, page: Page, threads: Threads) -> None:
        self._page = page
        self._threads = threads
        self._fifos: dict[int, int] = {}
        self._moved = time.monotonic()
        self._again = _AGAIN
        self._why = ""
        self._silent = _QUIET_FOR

    def close(self) -> None:
        """Close its pipes."""
        for fifo in self._fifos.values():
            os.close(fifo)
        self._fifos.clear()

    def step(self) -> float:
        """Jump, or wake a slot, if nothing runs; the seconds after which to try again unless it is rung."""
        page = self._page
        slots = self._running()
        now = page.now()
        overdue = min(((each.deadline, each.index) for each in slots if each.deadline <= now), default=None)
        busy = [each for each in slots if each.state == BUSY or each.holds]
        if busy:
            for each in slots:
                if each.state != BUSY and each.deadline <= now - _LATE:
                    self._wake(each.index)
            self._blocked(slots, "; ".join(map(self._doing, busy)))
            return _RUNG
        first = min((each.deadline for each in slots), default=NEVER)
        if overdue is None and (first == NEVER or not any(each.drives for each in slots)):
            self._moved = time.monotonic()
            return _RUNG
        try:
            seen = self._look(self._threads.sleep, slots)
            time.sleep(REST)
            if self._running() != slots or self._look(self._threads.look, slots) != seen:
                raise NotQuiet(self._why or "a thread has run between two looks")
        except NotQuiet as reason:
            self._blocked(slots, str(reason))
            again, self._again = self._again, min(2 * self._again, _LONGEST)
            return again
        self._again = _AGAIN
        if overdue is None:
            page.jump(first)
            overdue = min((each.deadline, each.index) for each in slots)
        self._wake(overdue[1])
        self._moved = time.monotonic()
        if self._silent > _QUIET_FOR:
            self._silent, page.note = _QUIET_FOR, ""
        return _RUNG

    def _running(self) -> list[Slot]:
        """The slots, without those of dead processes and of tasks that a fault has stopped."""
        now = self._page.now()
        return [
            each
            for each in self._page.slots()
            if (each.state != BUSY and not each.holds and each.deadline > now) or self._alive(each)
        ]

    def _alive(self, slot: Slot) -> bool:
        current = state(slot.pid)
        if current in ("", "X", "Z") or (slot.started and started(slot.pid) != slot.started):
            self._page.free(slot.index, slot.pid)
            return False
        return not (slot.task and current in "Tt")

    def _look(self, look: Look, slots: Iterable[Slot]) -> Fingerprint:
        try:
            return look((each.pid for each in slots), (each.pid for each in slots if not each.task))
        except Ended:
            for each in slots:
                self._alive(each)
            raise

    def _wake(self, index: int) -> None:
        if index not in self._fifos:
            self._fifos[index] = self._page.fifo(index)
        ring(self._fifos[index])

    def _blocked(self, slots: Iterable[Slot], why: str) -> None:
        self._why = why
        waited = time.monotonic() - self._moved
        if waited < self._silent or not any(each.drives for each in slots):
            return
        self._silent, self._page.note = 2 * waited, why
        sys.stderr.write(f"the clock has not jumped for {waited:.1f} s on this machine: {why}\n")
        sys.stderr.flush()

    def _doing(self, slot: Slot) -> str:
        name = f"{self._page.name(slot.index) or 'a program'} (process {slot.pid})"
        if slot.holds:
            return f"{name} holds it: {self._page.held(slot.index)}"
        joined = slot.version > 1 or not slot.task
        return f"{name} is at work" if joined else f"{name} has not joined the clock"


def main(folder: str) -> None:
    """Move the time of the page in `folder` until standard input closes."""
    gc.disable()
    page = Page(Path(folder))
    authority = Authority(page, Threads(skip=[os.getpid()]))
    bell = page.fifo()
    poll = select.poll()
    poll.register(bell, select.POLLIN)
    poll.register(0, select.POLLIN | select.POLLHUP)
    wait = _RUNG
    while True:
        if wait < 0.001:
            time.sleep(wait)
        for file, _ in poll.poll(0 if wait < 0.001 else wait * 1000):
            if file == 0:
                return
            os.read(bell, 4096)
        wait = authority.step()
