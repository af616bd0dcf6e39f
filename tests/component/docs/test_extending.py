"""The example of docs/extending.md, copied from the page and run as its reader runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support import REPOSITORY
from tests.support.markdown import write_files


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the page's files."""
    write_files(REPOSITORY / "docs" / "extending.md", tmp_path)
    return tmp_path


def run(project: Path, *module: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *module], cwd=project, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def report(project: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((project / ".kit" / "latest" / "report.json").read_text())
    return found


def test_its_scenario_passes_with_its_fault_seen_and_its_costs_known(project: Path) -> None:
    said = run(project, "webordinary_testkit.kit", "run")
    assert "delayed_job" in said
    found = report(project)
    scenario = found["scenarios"][0]
    assert (scenario["name"], scenario["verdict"], scenario["asserted"]) == ("delayed_job", "pass", 3)
    fault = scenario["faults"][0]
    assert (fault["fault"], fault["verified"], fault["undone"]) == ("HoldMessages", True, True)
    assert found["cost"]["usd"] > 0
    assert "error" not in found["cost"]


def test_its_scenarios_are_found_by_the_command_line_alone(project: Path) -> None:
    (project / "kit.toml").unlink()
    said = run(project, "webordinary_testkit.kit", "scenarios", "--scenarios", "acme.scenarios")
    assert "delayed_job" in said


def test_its_pytest_test_passes(project: Path) -> None:
    run(project, "pytest", "-q", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto", "test_acme.py")
    assert report(project)["counts"]["pass"] == 1


def test_its_files_are_typed(project: Path) -> None:
    said = run(project, "mypy", "--strict", "--python-version", "3.11", "acme/scenarios.py", "test_acme.py")
    assert "no issues found" in said
