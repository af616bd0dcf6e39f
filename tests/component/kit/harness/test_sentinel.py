"""The repository above the projects: planted by the shell of a container, and touched or not."""

from __future__ import annotations

import asyncio
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from tests.support.kit import a_context
from webordinary_testkit.kit.core.errors import CheckFailed
from webordinary_testkit.kit.harness.files import Files
from webordinary_testkit.kit.harness.sentinel import Sentinel


@dataclass
class Done:
    output: str
    exit_code: int
    seconds: float = 0.0


@dataclass
class Container:
    """Runs commands with /bin/sh, as ECS Exec does."""

    workspace: Path

    async def run(self, command: str) -> Done:
        environment = {"PATH": os.environ["PATH"], "WORKSPACE_PATH": str(self.workspace), "HOME": str(self.workspace)}
        done = await asyncio.to_thread(
            subprocess.run, ["/bin/sh", "-c", command], env=environment, capture_output=True, text=True, check=False
        )
        return Done(done.stdout + done.stderr, done.returncode)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """With a project in it that is a repository, and one that is none."""
    folder = tmp_path / "workspace"
    (folder / "c" / "u" / "project").mkdir(parents=True)
    git(folder / "c" / "u" / "project", "init", "-q")
    (folder / "c" / "v" / "project").mkdir(parents=True)
    return folder


def a_sentinel(workspace: Path) -> Sentinel:
    return Sentinel(a_context(), cast(Files, Container(workspace)))


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Auto", "-c", "user.email=auto@x"]
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parents[3])}
    subprocess.run(["git", *identity, *arguments], cwd=folder, env=environment, check=True, capture_output=True)


async def test_commits_in_the_projects_are_none_in_it_and_nothing_of_it_stays(workspace: Path) -> None:
    sentinel = a_sentinel(workspace)
    async with sentinel.planted():
        git(workspace / "c" / "u" / "project", "commit", "-q", "--allow-empty", "-m", "mine")
        (workspace / "c" / "u" / "project" / "page").touch()
        await sentinel.verify_untouched()
    assert not (workspace / ".git").exists()


@pytest.mark.parametrize(
    "command",
    [("commit", "--allow-empty", "-m", "auto-save"), ("add", "page"), ("config", "user.name", "Auto"), ("tag", "t")],
    ids=lambda command: command[0],
)
async def test_git_that_walked_up_out_of_a_project_is_found(workspace: Path, command: tuple[str, ...]) -> None:
    sentinel = a_sentinel(workspace)
    async with sentinel.planted():
        (workspace / "c" / "v" / "project" / "page").touch()
        git(workspace / "c" / "v" / "project", *command)
        with pytest.raises(CheckFailed, match="the repository above the projects to be unchanged"):
            await sentinel.verify_untouched()
    assert not (workspace / ".git").exists()


async def test_the_message_tells_the_commits_that_are_in_it(workspace: Path) -> None:
    sentinel = a_sentinel(workspace)
    async with sentinel.planted():
        git(workspace / "c" / "v" / "project", "commit", "--allow-empty", "-m", "auto-save")
        with pytest.raises(CheckFailed, match="Auto: auto-save"):
            await sentinel.verify_untouched()


async def test_a_foreign_repository_is_not_touched(workspace: Path) -> None:
    git(workspace / "c" / "v" / "project", "init", "-q", str(workspace))
    with pytest.raises(RuntimeError, match="the sentinel repository"):
        async with a_sentinel(workspace).planted():
            pass
    assert (workspace / ".git" / "HEAD").exists()


async def test_one_that_a_killed_run_left_is_replaced(workspace: Path) -> None:
    with pytest.raises(KeyError):
        async with a_sentinel(workspace).planted():
            saved = workspace.with_name("saved")
            (workspace / ".git").rename(saved)
            raise KeyError
    saved.rename(workspace / ".git")
    async with (sentinel := a_sentinel(workspace)).planted():
        await sentinel.verify_untouched()


async def test_without_git_in_the_container_nothing_is_shown(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(RuntimeError, match="exit code"):
        async with a_sentinel(workspace).planted():
            pass
