"""Two runs of one seed are the same: every operation of each strand in the same order, and every delay of the cloud."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCENARIOS = ("email_to_preview", "mail_thread")
_KIT = (sys.executable, "-m", "webordinary_testkit.kit")
_SEED = ("--set", "emulated.seed=7", "--set", "test_data.seed=7", "--set", "emulated.latency=published")
_BY_ALARM = ("--set", "stack.parameters.WakeByEvent=false")
"""Woken by event, edit can start before the alarm `SessionsSilent` has seen a session, and be stopped by it."""


def test_the_same_seed_gives_the_same_run(tmp_path: Path) -> None:
    runs = [tmp_path / name for name in "ab"]
    for run in runs:
        kit("run", *SCENARIOS, *_SEED, *_BY_ALARM, "--set", f"report_dir={run}", cwd=tmp_path)
    said = kit("parity", "--strict", "--times", *map(str, runs), cwd=tmp_path)
    assert "the same but for times and ids: 2 scenarios" in said


def kit(*arguments: str, cwd: Path) -> str:
    done = subprocess.run([*_KIT, *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    return done.stdout
