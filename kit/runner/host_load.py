"""Explains failures caused by the host: high load or a full disk."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

_BUSY = 2.0
"""Load per processor; a run alone stays well below."""
_ROOM = 8 << 20
"""Bytes; with less free space, a write has failed or soon will."""


def explain(scale: float, folders: Iterable[Path]) -> str:
    """An explanation by the host's load or the disks of these folders; empty when neither is to blame."""
    return explain_disk((Path(tempfile.gettempdir()), *folders)) or explain_load(scale, *load_average())


def explain_disk(folders: Iterable[Path]) -> str:
    """An explanation by the first of these folders whose disk is full; empty when there is room."""
    for folder in folders:
        free = shutil.disk_usage(folder).free
        if free < _ROOM:
            return (
                f"the disk of {folder} is full: {free >> 10} KiB are free\n"
                f"next: make room there, or set TMPDIR to a folder with more, and run it again"
            )
    return ""


def load_average() -> tuple[float, int]:
    """The load average of the last minute, and the number of processors."""
    return (os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0), os.cpu_count() or 1


def explain_load(scale: float, running: float, processors: int) -> str:
    """An explanation by the load, which matters on a clock faster than real time; empty when it was low."""
    if scale <= 1 or running < _BUSY * processors:
        return ""
    return (
        f"this machine was busy: a load of {running:.1f} on {processors} processor(s), while an idle minute of AWS was "
        f"{60 / scale:.1f} s of it\n"
        f"next: run it again with less beside it, or more slowly: --scale {max(1, round(scale / 3)):d}"
    )
