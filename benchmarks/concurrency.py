"""Scenario `concurrency` with many sessions: what one session costs when they all come at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure

SESSIONS = 25
SCALE = 15
"""On a faster clock two cores cannot keep up: a second of 25 activations must not be a minute of silence."""
_WORKING = 5
"""Steps until each session was opened, mailed, answered and compared with all others; after them it is idle time."""


def measure() -> Iterator[Figure]:
    report = _run()
    (scenario,) = report["scenarios"]
    working = sum(step["seconds"] for step in scenario["steps"][:_WORKING])
    what = f"{SESSIONS} sessions at once, scale {SCALE}"
    yield Figure(f"{what}: opened, mailed, compared, for each", working / SESSIONS, "s")
    yield Figure(
        f"{what}: the whole scenario, for each",
        scenario["seconds"] / SESSIONS,
        "s",
        beside=f"{scenario['asserted']} checks, no foreign marker",
    )


def _run() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        argv = [sys.executable, "-m", "webordinary_testkit.kit", "run", "concurrency", "--scale", str(SCALE)]
        environment = {
            **os.environ,
            "KIT_TEST_DATA__CONCURRENT_SESSIONS": str(SESSIONS),
            "KIT_EMULATED__PREVIEW": "builtin",
        }
        subprocess.run(argv, cwd=folder, env=environment, check=False, stdout=subprocess.DEVNULL)
        report: dict[str, Any] = json.loads((Path(folder) / ".kit" / "latest" / "report.json").read_text())
    if report["verdict"] != "pass":
        raise RuntimeError(f"{SESSIONS} sessions did not pass: {report['scenarios'][0]['error']['message'][:600]}")
    return report
