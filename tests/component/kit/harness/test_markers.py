"""Markers in workspaces: the very command that runs in a container, on a workspace of this machine."""

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
from webordinary_testkit.kit.harness.markers import Markers, Place
from webordinary_testkit.kit.harness.sessions import TestSession

MARKERS = ("mine", "yours", "hers")


@dataclass
class Result:
    output: str
    exit_code: int
    seconds: float = 0.01


class Container:
    """Runs commands with /bin/sh, as ECS Exec does."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace

    async def run(self, command: str) -> Result:
        environment = {**os.environ, "WORKSPACE_PATH": str(self.workspace)}
        done = await asyncio.to_thread(
            subprocess.run, ["/bin/sh", "-c", command], env=environment, capture_output=True, text=True, check=False
        )
        return Result(done.stdout + done.stderr, done.returncode)


def a_session(user: str) -> TestSession:
    return TestSession(f"TEST_{user}", "c", f"{user}@x", f"http://alb.test/session/TEST_{user}", "mine")


def project(workspace: Path, user: str, files: dict[str, str], message: str = "Nothing") -> None:
    """A repository with one commit of these files."""
    folder = workspace / "c" / user / "project"
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "--allow-empty", "-m", message]):
        identity = ["-c", "user.name=n", "-c", "user.email=e@x", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", str(folder), *identity, *words], check=True)


def markers(workspace: Path) -> Markers:
    return Markers(a_context(), cast(Files, Container(workspace)))


async def found(workspace: Path, place: Place, *users: str) -> list[set[str]]:
    sessions = [a_session(user) for user in users]
    by_session = await markers(workspace).search(place, sessions, MARKERS)
    return [set(by_session[session.session_id]) for session in sessions]


async def test_markers_are_found_in_contents_and_in_names_of_files_by_user(tmp_path: Path) -> None:
    project(tmp_path, "a", {"page-mine.astro": "nothing", "b.txt": "both yours and mine"})
    project(tmp_path, "b", {"c.txt": "hers hers"})
    assert await found(tmp_path, "files", "a", "b") == [{"mine", "yours"}, {"hers"}]


async def test_the_name_of_the_users_own_folder_is_no_finding(tmp_path: Path) -> None:
    project(tmp_path, "mine", {"page.astro": "nothing"})
    assert await found(tmp_path, "files", "mine") == [set()]


async def test_what_git_keeps_for_itself_counts_in_the_history_only(tmp_path: Path) -> None:
    project(tmp_path, "a", {"page.astro": "yours"}, message="Add mine")
    (tmp_path / "c" / "a" / "project" / "page.astro").write_text("nothing")
    assert await found(tmp_path, "files", "a") == [set()]
    assert await found(tmp_path, "history", "a") == [{"mine", "yours"}]


async def test_a_last_project_without_any_marker_is_no_failure(tmp_path: Path) -> None:
    project(tmp_path, "a", {"page.astro": "mine"})
    project(tmp_path, "b", {})
    assert await found(tmp_path, "history", "a", "b") == [{"mine"}, set()]


async def test_a_project_that_is_not_there_is_not_one_without_findings(tmp_path: Path) -> None:
    project(tmp_path, "a", {"page.astro": "mine"})
    with pytest.raises(LookupError, match="no project"):
        await found(tmp_path, "files", "a", "absent")


@pytest.mark.parametrize(
    ("text", "seen"), [("mine and yours", "foreign: yours; lacking: none"), ("", "foreign: none; lacking: mine")]
)
def test_a_foreign_marker_and_a_lacking_one_are_both_reported(tmp_path: Path, text: str, seen: str) -> None:
    with pytest.raises(CheckFailed, match=seen):
        markers(tmp_path).verify_own_only("the reply", text, own=frozenset({"mine"}), everyone=frozenset(MARKERS))


async def test_workspaces_are_held_against_what_is_each_ones_own(tmp_path: Path) -> None:
    project(tmp_path, "a", {"page.astro": "mine"})
    project(tmp_path, "b", {"page.astro": "yours mine"})
    own = {"TEST_a": frozenset({"mine"}), "TEST_b": frozenset({"yours"})}
    await markers(tmp_path).verify_workspaces("files", [a_session("a")], own | {"TEST_b": frozenset()})
    with pytest.raises(CheckFailed, match="the files of session TEST_b"):
        await markers(tmp_path).verify_workspaces("files", [a_session("a"), a_session("b")], own)
