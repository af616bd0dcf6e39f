"""The clock of the emulated cloud. All timestamps in AWS answers and all timers of the cloud are in AWS time."""

from __future__ import annotations

import os
import time
from typing import Any

from ...awsclock.clock import AwsClock
from ...awsclock.page import Page
from ...awsclock.participant import SLOT_VARIABLE


class Clock(AwsClock):
    """AWS time; nothing else in `emulation/` reads a clock or sleeps."""

    name = "the emulated cloud"

    def jump_with(self, page: Page) -> None:
        """Read AWS time from this page from now on. It is ahead of the wall clock, so time does not go back."""
        if self.scale != 1:
            raise ValueError(f"a clock that jumps has no scale, got {self.scale!r}")
        self.page = page

    def wall_now(self) -> float:
        """Wall time, epoch seconds."""
        return time.time()

    def wall(self, aws_seconds: float) -> float:
        """AWS seconds as wall seconds, while the clock does not jump."""
        return aws_seconds / self.scale

    def patience(self, aws_seconds: float, least: float = 1.0) -> float:
        """AWS seconds, but at least `least` wall seconds when the clock runs at a fast scale.

        For limits on programs of this machine (start, answer, stop), which do not speed up with the clock. At scale 1,
        and on a clock that jumps, the limit is AWS's.
        """
        return aws_seconds if self.scale <= 1 else max(aws_seconds, least * self.scale)

    def facts(self) -> dict[str, Any]:
        """For the readiness line: how other processes of the run read this clock."""
        if self.page is not None:
            return {"page": str(self.page.folder)}
        return {"scale": self.scale, "origin": self.origin}

    def reserve(self, name: str) -> ReservedSlot | None:
        """A slot for a process that will be started; None for a clock that does not jump."""
        return None if self.page is None else ReservedSlot(self.page, name)

    def environment(self) -> dict[str, str]:
        """Environment variables by which a task's timers follow AWS time."""
        if self.page is None:
            return {"CLOCK_SCALE": f"{self.scale:g}", "CLOCK_ORIGIN": f"{self.origin:.6f}"}
        return {"CLOCK_PAGE": str(self.page.folder)}


class ReservedSlot:
    """A slot of the clock page for a process that the cloud starts."""

    def __init__(self, page: Page, name: str) -> None:
        self._page = page
        self._index = page.claim(name, task=True)
        self._pid = os.getpid()

    def environment(self) -> dict[str, str]:
        """The variable by which the program takes the slot."""
        return {SLOT_VARIABLE: str(self._index)}

    def give_to(self, pid: int) -> None:
        """The process has started. Until it joins the clock, and if it never does, AWS time does not jump."""
        self._page.give(self._index, pid)
        self._pid = pid

    def free(self) -> None:
        self._page.free(self._index, self._pid)
