"""The plugin: costs nothing when unused, and is clear when it cannot go on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


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
        "    heavy = {'boto3', 'pydantic', 'rich', 'aiohttp', 'kit.run', 'kit.settings'}\n"
        "    assert 'kit.pytest_plugin' in sys.modules\n"
        "    assert not heavy & sys.modules.keys()\n"
    )
    done = run_pytest(tmp_path, "-q")
    assert done.returncode == 0, done.stdout
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "__pycache__") == ["test_other.py"]


@pytest.mark.parametrize("fixture", ["harness", "backend", "kit_run"])
def test_live_mode_says_that_it_is_not_there_and_fails(tmp_path: Path, fixture: str) -> None:
    (tmp_path / "test_mine.py").write_text(f"def test_mine({fixture}):\n    pass\n")
    done = run_pytest(tmp_path, "--kit-mode", "live")
    assert done.returncode == 5
    assert "the live backend is not there yet" in done.stdout + done.stderr


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
