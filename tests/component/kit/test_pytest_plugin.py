"""The plugin: costs nothing when unused, and is clear when it cannot go on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_run_that_does_not_use_it_imports_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text(
        "import sys\n"
        "def test_nothing_of_the_kit_is_loaded():\n"
        "    kit = 'webordinary_testkit.kit'\n"
        "    heavy = {'boto3', 'pydantic', 'rich', 'aiohttp', f'{kit}.runner', f'{kit}.settings'}\n"
        "    assert 'webordinary_testkit.kit.pytest_plugin' in sys.modules\n"
        "    assert not heavy & sys.modules.keys()\n"
    )
    done = run_pytest(tmp_path, "-q")
    assert done.returncode == 0, done.stdout
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "__pycache__") == ["test_other.py"]


SESSIONS = """
import pytest
for name in ("harness", "backend", "run"):
    print("SESSION", name, int(pytest.main(["-p", "no:cacheprovider", "--kit-mode", "live", f"test_{name}.py"])))
"""
"""Three sessions of pytest in one process: the first would end at its first fixture."""


def test_live_mode_that_cannot_be_says_why_and_fails(tmp_path: Path) -> None:
    for name in ("harness", "backend", "run"):
        (tmp_path / f"test_{name}.py").write_text(f"def test_mine(kit_{name}):\n    pass\n")
    done = subprocess.run(
        [sys.executable, "-c", SESSIONS], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    for name in ("harness", "backend", "run"):
        said, ended, _ = done.stdout.partition(f"SESSION {name} 2\n")
        assert ended, done.stdout
        assert "names no registry that AWS could pull it from" in said.rpartition("SESSION")[2]


def test_a_wrong_setting_ends_the_session_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "kit.toml").write_text("[emulated]\nscael = 3\n")
    (tmp_path / "test_mine.py").write_text("def test_mine(kit_settings):\n    pass\n")
    done = run_pytest(tmp_path)
    assert done.returncode == 2
    assert "did you mean 'emulated.scale'" in done.stdout + done.stderr


def test_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "kit.toml").write_text("[emulated]\nscale = 3\n")
    (tmp_path / "test_mine.py").write_text(
        "def test_mine(kit_settings):\n    assert kit_settings.emulated.scale == 7\n"
    )
    assert run_pytest(tmp_path, "--kit-scale", "7").returncode == 0


ONE = """
async def test_services_sleep(kit_harness, kit_run):
    await kit_harness.verify_service_task_count("edit", 0)
    print("PID", kit_run.backend.readiness.pid)

async def test_nothing_is_asserted(kit_harness):
    await kit_harness.service_task_count("edit")
"""

TWO = """
async def test_a_check_fails(kit_harness, kit_backend):
    assert await kit_backend.health() is None
    print("PID", kit_backend.readiness.pid)
    kit_harness.check(1 == 2, "one to be two", seen=1)
"""


def test_two_files_share_one_cloud_and_their_tests_stand_in_its_report(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text(ONE)
    (tmp_path / "test_two.py").write_text(TWO)
    done = run_pytest(tmp_path, "-s", "-o", "asyncio_mode=auto")
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    pids = [line.split()[-1] for line in said.splitlines() if line.startswith("PID") or " PID " in line]
    assert len(pids) == 2
    assert len(set(pids)) == 1
    report = json.loads((tmp_path / ".kit" / "latest" / "report.json").read_text())
    verdicts = {scenario["name"]: scenario["verdict"] for scenario in report["scenarios"]}
    assert verdicts == {
        "test_services_sleep": "pass",
        "test_nothing_is_asserted": "unknown",
        "test_a_check_fails": "fail",
    }
    assert "expected: one to be two" in said
    assert "asserted nothing" in said
    assert report["counts"]["executed"] == 3
