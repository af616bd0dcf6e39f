"""The event loop of every program that takes part in a clock page.

It is asyncio's selector loop. Its own time and timers stay real; AWS timers are those of its participants.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

from .page import Page
from .participant import Participant

T = TypeVar("T")


class _Selector(selectors.DefaultSelector):
    """Publishes that the loop is idle while it blocks, and that it is busy otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.participants: list[Participant] = []

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready: list[tuple[selectors.SelectorKey, int]]
        if not self.participants:
            ready = super().select(timeout)
            return ready
        if self._fire() or (timeout is not None and timeout <= 0):
            ready = super().select(0)
            return ready
        ready = super().select(0)
        if ready:
            return ready
        for each in self.participants:
            left = each.idle()
            timeout = left if timeout is None else timeout if left is None else min(timeout, left)
        try:
            ready = super().select(timeout)
            return ready
        finally:
            for each in self.participants:
                each.busy()
            self._fire()

    def _fire(self) -> bool:
        fired = [each.fire() for each in self.participants]
        return any(fired)


class Loop(asyncio.SelectorEventLoop):
    """An event loop that can take part in clock pages, see `join`."""

    def __init__(self) -> None:
        self._clocked = _Selector()
        super().__init__(self._clocked)

    def join(self, page: Page, *, name: str = "", driver: bool = False) -> Participant:
        """This loop's participant in a page; the first call claims a slot."""
        for each in self._clocked.participants:
            if each.page is page:
                return each
        participant = Participant(page, self.call_soon, name=name, driver=driver)
        self.add_reader(participant.fifo, participant.woken)
        self._clocked.participants.append(participant)
        return participant

    def close(self) -> None:
        if not self.is_closed() and not self.is_running():
            for each in self._clocked.participants:
                self.remove_reader(each.fifo)
                each.close()
            self._clocked.participants.clear()
        super().close()


def run(main: Coroutine[Any, Any, T]) -> T:
    """As `asyncio.run`, on a `Loop`."""
    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(main)
