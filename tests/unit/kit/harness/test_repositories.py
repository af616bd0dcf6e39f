"""The git history of a session, read from a container."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import pytest

from tests.support.kit import a_context
from webordinary_testkit.kit.core.errors import CheckFailed
from webordinary_testkit.kit.harness.files import Files
from webordinary_testkit.kit.harness.repositories import Commit, Repositories
from webordinary_testkit.kit.harness.sessions import TestSession

SESSION = TestSession("TEST_1", "c", "u@x", "http://alb.test/session/TEST_1", "m")
OLD, NEW = "a" * 40, "b" * 40


@dataclass
class Said:
    output: str
    exit_code: int = 0
    seconds: float = 0.01


@dataclass
class Container:
    """Answers commands in this order, the last one for ever."""

    answers: list[Said]
    commands: list[str] = field(default_factory=list)

    async def run(self, command: str) -> Said:
        self.commands.append(command)
        return self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)


def repositories(*answers: Said) -> tuple[Repositories, Container]:
    container = Container(list(answers))
    return Repositories(a_context(), cast(Files, container)), container


async def test_a_log_is_commits_with_their_whole_ids_newest_first() -> None:
    one, container = repositories(Said(f"{NEW}\tUpdate\ttabs and all\n{OLD}\tSample site"))
    assert await one.log(SESSION) == (Commit(NEW, "Update\ttabs and all"), Commit(OLD, "Sample site"))
    assert container.commands == [
        'git --no-pager -c "safe.directory=*" -C "$WORKSPACE_PATH/c/u/project" -c color.ui=false log --format=%H%x09%s'
    ]


async def test_a_git_that_fails_is_no_empty_history() -> None:
    one, _ = repositories(Said("fatal: not a git repository", 128))
    with pytest.raises(CheckFailed, match="exit code 128: fatal"):
        await one.log(SESSION)


@pytest.mark.parametrize("output", ["", f"{OLD[:7]}\tabbreviated"])
async def test_a_log_without_whole_commit_ids_is_not_taken(output: str) -> None:
    one, _ = repositories(Said(output))
    with pytest.raises(CheckFailed, match="whole ids"):
        await one.log(SESSION)


async def test_a_history_continues_with_new_commits_on_top_of_the_same_ids() -> None:
    one, _ = repositories(Said(f"{NEW}\tUpdate\n{OLD}\tCreate"))
    assert len(await one.verify_continues(SESSION, (Commit(OLD, "Create"),))) == 2


@pytest.mark.parametrize(
    "now", [f"{OLD}\tCreate", f"{NEW}\tUpdate\n{'c' * 40}\tCreate", f"{OLD}\tCreate\n{NEW}\tUpdate"]
)
async def test_nothing_new_another_id_of_the_same_name_and_another_order_are_seen(now: str) -> None:
    one, _ = repositories(Said(now))
    with pytest.raises(CheckFailed, match="on top of exactly 1 commit"):
        await one.verify_continues(SESSION, (Commit(OLD, "Create"),))


async def test_an_unchanged_history_is_the_same_in_every_id() -> None:
    one, _ = repositories(Said(f"{OLD}\tCreate"), Said(f"{NEW}\tCreate"))
    await one.verify_unchanged(SESSION, (Commit(OLD, "Create"),))
    with pytest.raises(CheckFailed):
        await one.verify_unchanged(SESSION, (Commit(OLD, "Create"),))


async def test_what_is_not_committed_makes_a_repository_not_whole() -> None:
    one, _ = repositories(Said(""), Said("?? left-over.astro"))
    with pytest.raises(CheckFailed, match="left-over"):
        await one.verify_whole(SESSION)
