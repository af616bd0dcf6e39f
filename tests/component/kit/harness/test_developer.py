"""The developer's own git: touched or not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.kit import a_context
from webordinary_testkit.kit.core.errors import CheckFailed, KitError
from webordinary_testkit.kit.harness.developer import Developer, GitState


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Dev", "-c", "user.email=dev@x"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[user]\n\tname = Dev\n\temail = dev@x\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("GIT_CONFIG_GLOBAL", raising=False)
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q")
    git(folder, "commit", "-q", "--allow-empty", "-m", "first")
    return folder


async def test_what_the_developer_does_meanwhile_is_theirs(repository: Path) -> None:
    developer = Developer(a_context(), repository)
    before = await developer.state()
    assert before.identity == "Dev <dev@x>"
    git(repository, "commit", "-q", "--allow-empty", "-m", "second")
    await developer.verify_untouched(before, ["k7bq3tz9"])


async def test_a_commit_of_the_scenario_is_found(repository: Path) -> None:
    developer = Developer(a_context(), repository)
    before = await developer.state()
    git(repository, "commit", "-q", "--allow-empty", "-m", "Add page k7bq3tz9")
    with pytest.raises(CheckFailed, match="k7bq3tz9"):
        await developer.verify_untouched(before, ["k7bq3tz9"])


async def test_a_file_of_the_scenario_is_found(repository: Path) -> None:
    developer = Developer(a_context(), repository)
    before = await developer.state()
    (repository / "k7bq3tz9").touch()
    with pytest.raises(CheckFailed, match="k7bq3tz9"):
        await developer.verify_untouched(before, ["k7bq3tz9"])


async def test_another_identity_is_found(repository: Path) -> None:
    developer = Developer(a_context(), repository)
    before = await developer.state()
    git(repository, "config", "--global", "user.email", "edit@x")
    with pytest.raises(CheckFailed, match="global git configuration"):
        await developer.verify_untouched(before, [])


async def test_a_commit_by_who_commits_in_the_scenario_is_found_whatever_it_says(repository: Path) -> None:
    developer = Developer(a_context(), repository)
    before = await developer.state()
    git(repository, "-c", "user.name=Auto", "commit", "-q", "--allow-empty", "-m", "auto-save")
    await developer.verify_untouched(before, ["k7bq3tz9"], ["Webordinary <edit@x>"])
    with pytest.raises(CheckFailed, match="Auto <dev@x>"):
        await developer.verify_untouched(before, ["k7bq3tz9"], ["Auto <dev@x>"])


async def test_without_a_repository_or_a_configuration_there_is_nothing_of_the_developers(
    repository: Path, tmp_path: Path
) -> None:
    (tmp_path / "home" / ".gitconfig").unlink()
    assert await Developer(a_context(), tmp_path).state() == GitState("", (), {})


async def test_git_that_cannot_be_read_is_an_error_and_no_pass(repository: Path) -> None:
    developer = Developer(a_context(), repository)
    before = await developer.state()
    (repository / ".git" / "config").write_text("[broken\n")
    with pytest.raises(KitError, match="git cannot be read"):
        await developer.verify_untouched(before, [])
