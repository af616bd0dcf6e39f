"""The clock of the emulated cloud. All timestamps in AWS answers and all timers of the cloud are in AWS time."""

from __future__ import annotations

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

    def wall(self, aws_seconds: float) -> float:
        """AWS seconds as wall seconds, while the clock does not jump."""
        return aws_seconds / self.scale

    def patience(self, aws_seconds: float, least: float = 1.0) -> float:
        """AWS seconds, but at least `least` wall seconds when the clock runs at a fast scale.

        For limits on programs of this machine (start, answer, stop), which do not speed up with the clock. At scale 1,
        and on a clock that jumps, the limit is AWS's.
        """
        return aws_seconds if self.scale <= 1 else max(aws_seconds, least * self.scale)

    def environment(self, slot: int | None = None) -> dict[str, str]:
        """Environment variables by which a task's timers follow AWS time."""
        if self.page is None:
            return {"CLOCK_SCALE": f"{self.scale:g}", "CLOCK_ORIGIN": f"{self.origin:.6f}"}
        reserved = {} if slot is None else {SLOT_VARIABLE: str(slot)}
        return {"CLOCK_PAGE": str(self.page.folder), **reserved}
