"""What this machine has to do with a failure: a fast clock takes a busy machine for a slow system, and so does a full
disk."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

_BUSY = 2.0
"""Programs that run or wait to run, for each processor; a run alone stays well below."""

_ROOM = 8 << 20
"""Bytes; with less, somebody has met the end of the disk, or will."""


def hindrance(scale: float, folders: Iterable[Path]) -> str:
    """What to tell beside a failure: of this machine, and of its disks where these folders are; empty when it is not
    to blame."""
    return full((Path(tempfile.gettempdir()), *folders)) or too_busy(scale, *load())


def full(folders: Iterable[Path]) -> str:
    """What to tell of the first of these folders whose disk is full; empty when there is room."""
    for folder in folders:
        free = shutil.disk_usage(folder).free
        if free < _ROOM:
            return (
                f"the disk of {folder} is full: {free >> 10} KiB are free\n"
                f"next: make room there, or set TMPDIR to a folder with more, and run it again"
            )
    return ""


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
