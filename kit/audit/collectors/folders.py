"""Working folders of dead runs' clouds, with tasks and shared workspaces."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..collector import Collector, Leftover, Runs
from ..notes import WORKDIR_PREFIX

MARKER = ".emulation-workdir"
"""The first file that an emulated cloud puts into its folder."""


class Folders(Collector):
    """Identified by both the path in the run's note and the cloud's marker in the folder, unless it is empty."""

    name = "folders"

    async def look(self, runs: Runs) -> Sequence[Leftover]:
        return [
            Leftover(f"folder {noted.workdir}", noted.token, noted.workdir)
            for noted in runs.over
            if noted.workdir is not None and _is_workdir(noted.workdir)
        ]

    async def clean(self, left: Sequence[Leftover], patience: float) -> Mapping[Leftover, str]:
        done = {}
        for one in left:
            if isinstance(one.key, Path) and _is_workdir(one.key):
                await asyncio.to_thread(shutil.rmtree, one.key, ignore_errors=True)
                done[one] = "removed"
            else:
                done[one] = "removed by its cloud or guardian"
        return done

    async def doubtful(self, runs: Runs) -> Sequence[Leftover]:
        noted = {run.workdir for run in (*runs.over, *runs.alive)}
        return [
            Leftover(f"folder {folder}, the folder of an emulated cloud that no run of the kit noted")
            for folder in _marked()
            if folder not in noted
        ]


def _marked() -> list[Path]:
    markers = Path(tempfile.gettempdir()).resolve().glob(f"{WORKDIR_PREFIX}*/{MARKER}")
    return sorted(marker.parent for marker in markers)


def _is_workdir(folder: Path) -> bool:
    try:
        if folder.is_symlink() or not folder.is_dir():
            return False
        return (folder / MARKER).is_file() or not any(folder.iterdir())
    except OSError:
        return False
