"""The clock of the emulated cloud: AWS time, which may run faster than the wall clock."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(frozen=True)
class Clock:
    """AWS time = origin + (wall time - origin) * scale.

    At scale 60 an AWS minute passes in a wall second. All timestamps in AWS answers and all timers of the emulated
    cloud are in AWS time; nothing else in `emulation/` reads a clock or sleeps.
    """

    scale: float = 1.0
    origin: float = field(default_factory=time.time)
    """Wall epoch seconds at which AWS time and wall time were equal."""
    _started: float = field(default_factory=time.monotonic, repr=False)

    def __post_init__(self) -> None:
        if not self.scale > 0:
            raise ValueError(f"clock scale must be above 0 (1 is real time), got {self.scale!r}")

    def now(self) -> float:
        """AWS time, epoch seconds."""
        return self.origin + (time.monotonic() - self._started) * self.scale

    def now_ms(self) -> int:
        """AWS time, epoch milliseconds."""
        return int(self.now() * 1000)

    def utcnow(self) -> datetime:
        """AWS time, timezone-aware UTC."""
        return datetime.fromtimestamp(self.now(), UTC)

    def wall(self, aws_seconds: float) -> float:
        """AWS seconds as wall seconds."""
        return aws_seconds / self.scale

    def patience(self, aws_seconds: float, least: float = 1.0) -> float:
        """AWS seconds, but at least `least` wall seconds when the clock runs fast.

        For limits on programs of this machine (start, answer, stop), which do not speed up with the clock. At scale 1
        the limit is AWS's.
        """
        return aws_seconds if self.scale <= 1 else max(aws_seconds, least * self.scale)

    async def sleep(self, aws_seconds: float) -> None:
        """Sleep for AWS seconds."""
        await asyncio.sleep(max(0.0, aws_seconds) / self.scale)

    async def sleep_until(self, aws_epoch: float) -> None:
        """Sleep until AWS time has reached `aws_epoch`; returns at once when it has."""
        await self.sleep(aws_epoch - self.now())

    def environment(self) -> dict[str, str]:
        """Environment variables by which a task's timers follow AWS time."""
        return {"CLOCK_SCALE": f"{self.scale:g}", "CLOCK_ORIGIN": f"{self.origin:.6f}"}
