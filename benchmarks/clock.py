"""The ten scenarios on the clock that jumps, beside the clock at scale 60; and on a busy machine."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.busy import LOOPS, busy
from benchmarks.cpu import usage
from benchmarks.figures import Figure

_ROUNDS = 3
_BUSY_RUNS = 5
"""Runs beside busy loops."""


@dataclass(frozen=True)
class _Run:
    report: dict[str, Any]
    cpu: Counter[str]
    calls: int
    """AWS calls."""

    @property
    def wall(self) -> float:
        return sum(float(one["seconds"]) for one in self.report["scenarios"])

    @property
    def aws(self) -> float:
        return sum(float(one["aws_seconds"]) for one in self.report["scenarios"])

    @property
    def passed(self) -> bool:
        return bool(self.report["verdict"] == "pass")

    @property
    def cold(self) -> float:
        """Wall seconds from the mail to the visible page, at zero tasks before."""
        seconds = 0.0
        for step in self.report["scenarios"][0]["steps"]:
            if step["name"].startswith("6"):
                return seconds
            seconds += step.get("seconds", 0.0) if step["name"][:1].isdigit() else 0.0
        raise RuntimeError("email_to_preview has no step 6")


@dataclass(frozen=True)
class _Pair:
    """The same runs on both clocks, in turn."""

    jumping: Sequence[_Run]
    scaled: Sequence[_Run]

    def figure(
        self, name: str, value: Callable[[_Run], float], unit: str = "", target: float | None = None, more: str = ""
    ) -> Figure:
        at_scale = f"at scale 60: {statistics.median(map(value, self.scaled)):.3g} {unit}".rstrip()
        beside = "; ".join(filter(None, (at_scale, more)))
        return Figure(name, statistics.median(map(value, self.jumping)), unit, target, beside=beside)


def measure() -> Iterator[Figure]:
    runs = [(_run("--clock", "autojump"), _run("--scale", "60")) for _ in range(_ROUNDS)]
    both = _Pair([jumping for jumping, _ in runs], [scaled for _, scaled in runs])
    yield both.figure("ten scenarios, wall", lambda run: run.wall, "s", 25)
    yield both.figure("ten scenarios, CPU", lambda run: run.cpu.total(), "s", 25, _kinds(runs[-1][0].cpu))
    yield both.figure("ten scenarios, AWS calls in an AWS minute", lambda run: run.calls / (run.aws / 60))
    yield both.figure("cold mail → change visible, wall", lambda run: run.cold, "s", 0.7)
    one = ("email_to_preview", "--clock", "autojump")
    quiet = [_run(*one) for _ in range(_BUSY_RUNS)]
    with busy():
        loaded = [_run(*one) for _ in range(_BUSY_RUNS)]
    ratio = statistics.median(run.aws for run in loaded) / statistics.median(run.aws for run in quiet)
    beside = f"{sum(run.passed for run in loaded)} of {_BUSY_RUNS} pass beside {LOOPS} busy loops"
    name = "`email_to_preview`: AWS seconds on a busy machine, ratio to a quiet one"
    yield Figure(name, ratio, "×", 1.2, beside=beside)


def _kinds(cpu: Counter[str]) -> str:
    return ", ".join(f"{kind} {seconds:.1f}" for kind, seconds in cpu.most_common() if seconds >= 0.1)


def _run(*arguments: str) -> _Run:
    with tempfile.TemporaryDirectory() as folder:
        argv = [sys.executable, "-m", "webordinary_testkit.kit", "run", *arguments]
        with (
            subprocess.Popen(argv, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process,
            usage(process.pid) as used,
        ):
            process.wait()
        latest = Path(folder) / ".kit" / "latest"
        report = json.loads((latest / "report.json").read_text())
        calls = len((latest / "calls.jsonl").read_text().splitlines())
    return _Run(report, used.by_kind(), calls)
