"""Files of a dead run: the note of its running cloud in `.kit/`, and half-written files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ..collector import Collector, Leftover, Runs
from ..notes import NotedRun

_RUNNING, _RUNNING_UNFINISHED = "up.json", "up.tmp"
_REPORT_UNFINISHED = "report.tmp"


class Files(Collector):
    """Identified by the folders in the run's note, and by the process id in the file or its name."""

    name = "files"

    async def look(self, runs: Runs) -> Sequence[Leftover]:
        return [
            Leftover(f"file {path}", noted.token, path)
            for noted in runs.over
            if not any(_same_holder(noted, other) for other in runs.alive)
            for path in _of(noted)
        ]

    async def clean(self, left: Sequence[Leftover], patience: float) -> Mapping[Leftover, str]:
        done = {}
        for one in left:
            if isinstance(one.key, Path):
                try:
                    one.key.unlink(missing_ok=True)
                    done[one] = "removed"
                except OSError as error:
                    done[one] = f"not removed: {error.strerror}"
        return done


def _of(noted: NotedRun) -> Iterator[Path]:
    pid, report_dir = noted.holder.pid, noted.report_dir
    for name in (_RUNNING, _RUNNING_UNFINISHED):
        if _written_by(report_dir / name, pid):
            yield report_dir / name
    for path in (report_dir / f".latest-{pid}", noted.folder / _REPORT_UNFINISHED):
        if path.is_symlink() or path.is_file():
            yield path


def _written_by(path: Path, pid: int) -> bool:
    try:
        return bool(json.loads(path.read_text(encoding="utf-8"))["pid"] == pid)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _same_holder(one: NotedRun, other: NotedRun) -> bool:
    """Whether the process id was reused for the same folder."""
    return one.holder.pid == other.holder.pid and one.report_dir == other.report_dir
