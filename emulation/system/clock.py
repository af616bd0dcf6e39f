"""AWS time, which in the emulated cloud differs from the wall clock."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime

from ...awsclock.clock import AwsClock, opened


class Clock(AwsClock):
    """Every timestamp and every timer of the programs goes through here; nothing else reads a clock or sleeps."""

    name = "a program of the reference system"

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Clock:
        """The clock that CLOCK_PAGE, or CLOCK_SCALE and CLOCK_ORIGIN, ask for; without them, real time. Raises
        ValueError naming the bad one."""
        if folder := environment.get("CLOCK_PAGE"):
            try:
                return cls(page=opened(folder))
            except OSError as error:
                raise ValueError(f"CLOCK_PAGE: {error}") from None
        try:
            scale = float(environment.get("CLOCK_SCALE") or 1)
            origin = float(environment.get("CLOCK_ORIGIN") or time.time())
        except ValueError as error:
            raise ValueError(f"CLOCK_SCALE and CLOCK_ORIGIN must be numbers: {error}") from None
        if not scale > 0:
            raise ValueError(f"CLOCK_SCALE must be above 0 (1 is real time), got {scale:g}")
        return cls(scale, origin)


def iso(epoch_seconds: float) -> str:
    """As JavaScript's `toISOString`: UTC, milliseconds, `Z`."""
    moment = datetime.fromtimestamp(epoch_seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
