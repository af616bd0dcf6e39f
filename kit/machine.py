"""What this machine has to do beside a run: a fast clock takes a busy machine for a slow system."""

from __future__ import annotations

import os

_BUSY = 2.0
"""Programs that run or wait to run, for each processor; a run alone stays well below."""


def load() -> tuple[float, int]:
    """How many programs ran or waited to run in the last minute, and how many processors there are."""
    return (os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0), os.cpu_count() or 1


def too_busy(scale: float, running: float, processors: int) -> str:
    """What to tell beside a failure on a clock of this speed; empty when the machine was not to blame."""
    if scale <= 1 or running < _BUSY * processors:
        return ""
    return (
        f"this machine was busy: a load of {running:.1f} on {processors} processor(s), while an idle minute of AWS was "
        f"{60 / scale:.1f} s of it\n"
        f"next: run it again with less beside it, or more slowly: --scale {max(1, round(scale / 3)):d}"
    )
