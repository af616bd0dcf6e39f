"""Reads and writes a run's report: `.kit/runs/<run id>/report.json`, linked from `.kit/latest`."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.clock import iso
from ..core.errors import UsageError
from ..core.verdict import Verdict, combined
from ..core.version import __version__
from .outcome import SKIPPED, Outcome

FILE = "report.json"
LATEST = "latest"


@dataclass
class Report:
    """The report of a run, rewritten after every scenario, so that a killed run leaves one."""

    folder: Path
    run_id: str
    about: dict[str, Any]
    """Facts of the run: mode, scale, region, stack …"""
    started: float
    """Wall epoch seconds."""
    outcomes: list[Outcome] = field(default_factory=list)
    cost: Mapping[str, Any] = field(default_factory=dict)
    """The run's costs (`kit.cost.tracker`); empty until its end."""

    @property
    def verdict(self) -> Verdict:
        """The verdict over all executed scenarios; without any it is `UNKNOWN`."""
        return combined(outcome.verdict for outcome in self.outcomes if outcome.verdict is not None)

    @property
    def previews(self) -> list[str]:
        """The renderers of the pages, over all scenarios."""
        return sorted({preview for outcome in self.outcomes for preview in outcome.previews})

    def counts(self) -> dict[str, int]:
        verdicts = Counter(SKIPPED if one.verdict is None else str(one.verdict) for one in self.outcomes)
        return {
            "scenarios": len(self.outcomes),
            "executed": len(self.outcomes) - verdicts[SKIPPED],
            "asserted": sum(outcome.asserted for outcome in self.outcomes),
            **{str(verdict): verdicts[str(verdict)] for verdict in Verdict},
            SKIPPED: verdicts[SKIPPED],
        }

    def to_json(self, ended: float) -> dict[str, Any]:
        return {
            "run": {
                "id": self.run_id,
                **self.about,
                "started": iso(self.started),
                "ended": iso(ended),
                "seconds": round(ended - self.started, 3),
                "kit": __version__,
                "python": platform.python_version(),
                "platform": sys.platform,
                **({"previews": self.previews} if self.previews else {}),
            },
            "verdict": str(self.verdict),
            "counts": self.counts(),
            "scenarios": [outcome.to_json() for outcome in self.outcomes],
            **({"cost": self.cost} if self.cost else {}),
        }

    def write(self, ended: float) -> Path:
        """Write the report atomically and point `latest` at the run; returns its path."""
        path = self.folder / FILE
        unfinished = path.with_suffix(".tmp")
        unfinished.write_text(json.dumps(self.to_json(ended), indent=2) + "\n", encoding="utf-8")
        unfinished.replace(path)
        point_latest(self.folder)
        return path


def run_folder(report_dir: Path, run_id: str) -> Path:
    """Create the folder of a run."""
    folder = report_dir / "runs" / run_id
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # it has the mails of the run
    ignore = report_dir / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")
    return folder


def point_latest(folder: Path) -> None:
    """Point `latest` at a run by a relative symbolic link, or by a text file where there are no links."""
    latest = folder.parent.parent / LATEST
    target = Path(folder.parent.name) / folder.name
    unfinished = latest.with_name(f".{LATEST}-{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    try:
        unfinished.symlink_to(target, target_is_directory=True)
    except (OSError, NotImplementedError):
        unfinished.write_text(f"{target.as_posix()}\n", encoding="utf-8")
    unfinished.replace(latest)


def latest_folder(report_dir: Path) -> Path:
    """The folder of the newest run. Raises `UsageError` when there is none."""
    latest = report_dir / LATEST
    if latest.is_file():
        return report_dir / latest.read_text(encoding="utf-8").strip()
    if not latest.is_dir():
        raise UsageError(f"there is no run in {report_dir}", next="make one: kit run")
    return latest.resolve()


def read(folder: Path) -> Mapping[str, Any]:
    """The report in a run's folder. Raises `UsageError` when it has none, or one that is cut off or of another kind."""
    try:
        report: Mapping[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
        if not {"verdict", "counts", "scenarios"} <= report.keys():
            raise ValueError("it lacks a verdict, counts or scenarios")
    except FileNotFoundError:
        raise UsageError(f"the run in {folder} has no report: it ended before its first scenario did") from None
    except (ValueError, AttributeError) as error:
        raise UsageError(f"{folder / FILE} is no report of a run: {error}", next="kit run makes a new one") from None
    return report
