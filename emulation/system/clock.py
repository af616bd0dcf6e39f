"""AWS time, which in the emulated cloud may run faster than the wall clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Clock:
    """AWS time = origin + (wall time - origin) * scale. Scale 1, the default, is real time.

    Every timestamp and every timer of the programs goes through here; nothing else reads a clock or sleeps.
    """

    scale: float = 1.0
    origin: float = 0.0
    """Wall epoch seconds at which AWS time and wall time were equal; without meaning at scale 1."""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Clock:
        """The clock that CLOCK_SCALE and CLOCK_ORIGIN ask for. Raises ValueError naming the bad one."""
        try:
            scale = float(environment.get("CLOCK_SCALE") or 1)
            origin = float(environment.get("CLOCK_ORIGIN") or time.time())
        except ValueError as error:
            raise ValueError(f"CLOCK_SCALE and CLOCK_ORIGIN must be numbers: {error}") from None
        if not scale > 0:
            raise ValueError(f"CLOCK_SCALE must be above 0 (1 is real time), got {scale:g}")
        return cls(scale, origin)

    def now(self) -> float:
        """AWS time, epoch seconds."""
        return self.origin + (time.time() - self.origin) * self.scale

    def now_ms(self) -> int:
        """AWS time, epoch milliseconds."""
        return int(self.now() * 1000)

    def wall(self, aws_seconds: float) -> float:
        """The wall seconds in which so many AWS seconds pass."""
        return aws_seconds / self.scale

    async def sleep(self, aws_seconds: float) -> None:
        """Let so many AWS seconds pass."""
        await asyncio.sleep(max(0.0, aws_seconds) / self.scale)


def iso(epoch_seconds: float) -> str:
    """As JavaScript's `toISOString`: UTC, milliseconds, `Z`."""
    moment = datetime.fromtimestamp(epoch_seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
