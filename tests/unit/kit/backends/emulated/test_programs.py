"""Programs of the settings, as tasks run them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from webordinary_testkit.kit.backends.emulated.programs import configured


def test_a_file_becomes_absolute_and_stays_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python of a virtual environment is a link: the file behind it does not have the environment's packages."""
    link = tmp_path / "link"
    link.symlink_to(sys.executable)
    monkeypatch.chdir(tmp_path)
    assert configured({"image": ["link", "-m", "acme"]}) == {"image": [str(link), "-m", "acme"]}


def test_python_is_the_one_that_runs_the_kit() -> None:
    assert configured({"image": ["python3", "-m", "acme"]}) == {"image": [sys.executable, "-m", "acme"]}
