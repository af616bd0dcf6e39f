"""The kit's clock: AWS time and wall time. The only module of the kit that reads a clock or sleeps."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from ...awsclock.clock import AwsClock
from ...awsclock.page import Page


@dataclass(frozen=True)
class Moment:
    """The same moment on both clocks, epoch seconds."""

    aws: float
    wall: float


class Clock(AwsClock):
    """AWS time, which comes from the emulated cloud's readiness line, so both sides agree; on real AWS it is wall time.

    The kit drives: while it waits for an AWS deadline, a clock that jumps may do so.
    """

    name = "the kit"
    driver = True

    def __init__(
        self,
        scale: float = 1.0,
        origin: float | None = None,
        *,
        allowance: float = 0.0,
        page: Page | None = None,
    ) -> None:
        """`allowance`: wall seconds added to every wait on a clock at a fast scale, see `patience`."""
        super().__init__(scale, origin, page)
        self.allowance = allowance
        self._wall, self._monotonic = time.time(), time.monotonic()

    def wall(self) -> float:
        """Wall time, epoch seconds; unaffected when the machine's clock is set."""
        return self._wall + (self.monotonic() - self._monotonic)

    def to_wall(self, aws_epoch: float) -> float | None:
        """The wall time at an AWS time, both epoch seconds; None on a clock that jumps."""
        return None if self.page is not None else self.origin + (aws_epoch - self.origin) / self.scale

    def moment(self) -> Moment:
        """Now, on both clocks."""
        return Moment(self.now(), self.wall())

    def patience(self, aws_seconds: float) -> float:
        """The AWS seconds that a wait with this budget lasts.

        At a fast scale timers run faster but this machine's work (starting a process, a git commit) does not, so the
        allowance is added to each wait. At scale 1, and on a clock that jumps, nothing is added.
        """
        return aws_seconds + (self.allowance * self.scale if self.scale > 1 else 0.0)


def iso(epoch: float) -> str:
    """An epoch time as ISO 8601 in UTC with milliseconds."""
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def epoch(text: str) -> float:
    """The epoch seconds of an ISO 8601 time, UTC unless it has an offset. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
