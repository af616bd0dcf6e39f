"""The README's examples, copied from the page: its test runs, its settings are read, its commands exist."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support import REPOSITORY
from tests.support.markdown import blocks
from webordinary_testkit.kit.cli import COMMANDS
from webordinary_testkit.kit.settings import load

README = REPOSITORY / "README.md"


def test_its_pytest_examples_pass(tmp_path: Path) -> None:
    examples = blocks(README, "python")
    for number, code in enumerate(examples):
        (tmp_path / f"test_example_{number}.py").write_text(code)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-o",
            "asyncio_mode=auto",
            "--kit-mode",
            "emulated",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(re.findall('async def test_', ''.join(examples)))} passed" in done.stdout


@pytest.mark.parametrize("text", blocks(README, "toml"))
def test_its_settings_are_settings(text: str, tmp_path: Path) -> None:
    file = tmp_path / "kit.toml"
    file.write_text(text)
    assert load(file=file, environ={}).model_dump(exclude_defaults=True).keys() >= tomllib.loads(text).keys()


def test_its_table_has_every_command() -> None:
    named = set(re.findall(r"`kit (\w+)", README.read_text()))
    assert {module.__name__.rpartition(".")[2] for module in COMMANDS} == named


def test_its_table_has_every_nox_session() -> None:
    sessions = set(re.findall(r"^@nox\.session.*\ndef (\w+)", (REPOSITORY / "noxfile.py").read_text(), re.M))
    assert set(re.findall(r"`nox -s (\w+)", README.read_text())) >= sessions - {"localstack"}
