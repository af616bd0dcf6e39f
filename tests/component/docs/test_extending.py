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


def explore(project: Path) -> subprocess.CompletedProcess[str]:
    command = ["explore", "--set", "subject=acme.subject:Acme", "--examples", "10", "--seed", "1", "--actions", "3"]
    return subprocess.run(
        [sys.executable, "-m", "webordinary_testkit.kit", *command],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        timeout=170,
    )


def test_its_mixes_pass_and_a_planted_leak_is_found_and_made_small(project: Path) -> None:
    sound = explore(project)
    assert sound.returncode == 0, sound.stdout + sound.stderr
    assert "10 mixes" in sound.stdout
    worker = project / "acme" / "worker.py"
    leak = worker.read_text().replace('job["text"].upper()', '(texts.append(job["text"]) or texts[-2:][0]).upper()')
    assert leak != worker.read_text()
    worker.write_text(f"texts = []\n{leak}")
    leaky = explore(project)
    assert leaky.returncode == 1, leaky.stdout + leaky.stderr
    assert "isolation: " in leaky.stdout
    kept = json.loads(next((project / ".kit" / "mixes").glob("*.json")).read_text())
    assert sum(len(strand["actions"]) for strand in kept["mix"]["strands"]) <= 2
