"""The kit's clock: AWS time and wall time. The only module of the kit that reads a clock or sleeps."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(frozen=True)
class Clock:
    """AWS time = origin + (wall time - origin) * scale; on real AWS the scale is 1 and both are equal.

    `scale` and `origin` come from the emulated cloud's readiness line, so both sides agree.
    """

    scale: float = 1.0
    origin: float = field(default_factory=time.time)
    """Wall epoch seconds at which AWS time and wall time were equal."""
    allowance: float = 0.0
    """Wall seconds added to every wait on a fast clock: see `patience`."""
    _wall: float = field(default_factory=time.time, repr=False)
    _monotonic: float = field(default_factory=time.monotonic, repr=False)

    def __post_init__(self) -> None:
        if not self.scale > 0:
            raise ValueError(f"clock scale must be above 0 (1 is real time), got {self.scale!r}")

    def monotonic(self) -> float:
        """Wall seconds that only go forward; for durations."""
        return time.monotonic()

    def wall(self) -> float:
        """Wall time, epoch seconds; unaffected when the machine's clock is set."""
        return self._wall + (self.monotonic() - self._monotonic)

    def now(self) -> float:
        """AWS time, epoch seconds."""
        return self.to_aws(self.wall())

    def to_aws(self, wall_epoch: float) -> float:
        """The AWS time at a wall time; both epoch seconds."""
        return self.origin + (wall_epoch - self.origin) * self.scale

    def to_wall(self, aws_epoch: float) -> float:
        """The wall time at an AWS time; both epoch seconds."""
        return self.origin + (aws_epoch - self.origin) / self.scale

    def patience(self, aws_seconds: float) -> float:
        """The wall seconds that a wait with this budget lasts.

        On a fast clock timers run faster but this machine's work (starting a process, a git commit) does not, so the
        allowance is added to each wait. At scale 1 nothing is added.
        """
        return aws_seconds / self.scale + (self.allowance if self.scale > 1 else 0.0)

    async def sleep(self, aws_seconds: float) -> None:
        """Sleep for so many AWS seconds."""
        await self.sleep_wall(aws_seconds / self.scale)

    async def sleep_wall(self, seconds: float) -> None:
        """Sleep for so many wall seconds."""
        await asyncio.sleep(max(0.0, seconds))


def iso(epoch: float) -> str:
    """An epoch time as ISO 8601 in UTC with milliseconds."""
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def epoch(text: str) -> float:
    """The epoch seconds of an ISO 8601 time, UTC unless it has an offset. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
