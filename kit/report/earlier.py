"""The last run in which the same scenario passed in the same mode, and the first step that differs from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..runner.report import FILE
from .files import RunFiles


def last_green(run: RunFiles, scenario: Mapping[str, Any]) -> dict[str, Any] | None:
    """`run`, its id, `seconds` by step name, and `divergence`, the first step that differs; None without such a run."""
    mode = run.report.get("run", {}).get("mode")
    for folder in sorted(run.folder.parent.iterdir(), key=lambda path: path.name, reverse=True):
        if folder.name >= run.folder.name or not (folder / FILE).is_file():
            continue
        try:
            report = json.loads((folder / FILE).read_text(encoding="utf-8"))
            if report["run"].get("mode") != mode:
                continue
            for other in report["scenarios"]:
                if (other["name"], other["verdict"]) == (scenario["name"], "pass"):
                    return {
                        "run": folder.name,
                        "seconds": {step["name"]: step.get("aws_seconds") for step in other.get("steps", ())},
                        "divergence": divergence(scenario.get("steps", ()), other.get("steps", ())),
                    }
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # a file that is no report has nothing to compare with
    return None


def divergence(steps: Any, green: Any) -> str:
    """A sentence about the first step that did not hold or was not reached; empty when there is none."""
    here = {step["name"]: step for step in steps}
    for step in green:
        found = here.get(step["name"])
        if found is None:
            return f"step “{step['name']}” was not reached"
        if not found.get("held", True):
            return f"step “{step['name']}” did not hold; it took {step.get('aws_seconds', 0):g} AWS s in the green run"
    return ""
