"""The built wheel in an environment of its own: beside packages called kit, emulation and datachannel, without extras.

Starts pip and needs a package index; `nox -s wheel` runs it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import REPOSITORY
from tests.support.markdown import write_files

NAMESAKES = ("kit", "emulation", "datachannel")
"""The names of the wheel's packages that other distributions on PyPI have."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment with the wheel, and a project outside of the repository."""

    folder: Path
    project: Path

    @property
    def programs(self) -> Path:
        return self.folder / ("Scripts" if os.name == "nt" else "bin")

    def run(self, *words: str, code: int = 0) -> str:
        """Run a program of the environment in the project; returns its output."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
        environ = clean | {"PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run(
            [str(self.programs / words[0]), *words[1:]],
            cwd=self.project,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == code, done.stdout
        return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a source distribution's files."""
    folder = tmp_path_factory.mktemp("wheel")
    argv = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(REPOSITORY)]
    subprocess.run(argv, check=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    made = Environment(tmp_path_factory.mktemp("environment"), tmp_path_factory.mktemp("project"))
    venv.create(made.folder, with_pip=True)
    made.run("python", "-m", "pip", "install", "--quiet", str(wheel))
    packages = Path(made.run("python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    for name in NAMESAKES:
        (packages / name).mkdir()
        (packages / name / "__init__.py").write_text("OWNER = 'another distribution'\n")
    write_files(REPOSITORY / "docs" / "extending.md", made.project)
    return made


def test_it_has_one_package_and_all_its_files(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        points = archive.read(next(name for name in names if name.endswith("entry_points.txt"))).decode()
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {
        "webordinary_testkit",
        "webordinary_test_kit",
    }
    for file in ("py.typed", "kit/system/integration-test-stack.yaml", "emulation/images/Dockerfile"):
        assert f"webordinary_testkit/{file}" in names
    assert "session-manager-plugin" not in points


def test_the_extending_guides_scenario_passes(installed: Environment) -> None:
    installed.run("kit", "run")
    report = json.loads((installed.project / ".kit" / "latest" / "report.json").read_text())
    assert [(one["name"], one["verdict"]) for one in report["scenarios"]] == [("delayed_job", "pass")]


def test_the_extending_guides_pytest_test_passes(installed: Environment) -> None:
    assert "1 passed" in installed.run("pytest", "-o", "asyncio_mode=auto", "test_acme.py")


def test_the_main_scenario_passes_without_an_extra(installed: Environment, tmp_path: Path) -> None:
    installed.run("kit", "run", "email_to_preview", "--settings", str(_empty(tmp_path)))


def test_what_is_missing_is_named_with_its_extra(installed: Environment, tmp_path: Path) -> None:
    empty = str(_empty(tmp_path))
    said = installed.run("kit", "run", "cold_start", "--settings", empty, "--runtime", "docker", code=2)
    assert "pip install 'webordinary-test-kit[docker]'" in said
    said = installed.run("kit", "run", "cold_start", "--settings", empty, "--base", "localstack", code=2)
    assert "pip install 'webordinary-test-kit[localstack]'" in said
    assert "webordinary-test-kit[docker]" in installed.run("kit", "images", "build", code=2)


@pytest.mark.parametrize("command", [("kit",), ("webordinary-testkit",), ("python", "-m", "webordinary_testkit")])
def test_the_command_has_names_that_no_other_distribution_takes(
    installed: Environment, command: tuple[str, ...]
) -> None:
    assert installed.run(*command, "--version").startswith("webordinary-test-kit")


@pytest.mark.parametrize("name", NAMESAKES)
def test_a_package_of_the_same_name_is_left_alone(installed: Environment, name: str) -> None:
    said = installed.run("python", "-c", f"import webordinary_testkit, {name}; print({name}.OWNER)")
    assert said.strip() == "another distribution"


def test_awss_plugin_is_not_hidden(installed: Environment) -> None:
    assert not (installed.programs / "session-manager-plugin").exists()


def _empty(folder: Path) -> Path:
    file = folder / "empty.toml"
    file.write_text("")
    return file
