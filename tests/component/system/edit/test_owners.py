"""Folders of users: the local part for the first who has it, another one for the next, and never one for two."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webordinary_testkit.emulation.system.edit.owners import Owners
from webordinary_testkit.emulation.system.names import InvalidName

users = st.sampled_from(["john", "john@a.test", "john@b.test", "John@A.test", "john-1@a.test", "ann@a.test"])


def test_the_first_user_of_a_local_part_has_its_folder(tmp_path: Path) -> None:
    owners = Owners(tmp_path)
    assert owners.folder("acme", "john@client.test") == "john"
    evil = owners.folder("acme", "john@evil.test")
    assert evil.startswith("john-")
    assert owners.folder("beta", "john@evil.test") == "john"
    assert Owners(tmp_path).folder("acme", "john@evil.test") == evil
    assert Owners(tmp_path).folder("acme", "JOHN@client.test") == "john"


@given(st.lists(st.tuples(st.sampled_from(["acme", "Acme"]), users), max_size=12))
def test_no_two_users_share_a_folder(tmp_path_factory: pytest.TempPathFactory, asked: list[tuple[str, str]]) -> None:
    root = tmp_path_factory.mktemp("owners")
    tasks = [Owners(root), Owners(root)]
    given_to: dict[tuple[str, str], str] = {}
    for number, (client, user) in enumerate(asked):
        folder = tasks[number % 2].folder(client, user)
        assert given_to.setdefault((client, folder), user.lower()) == user.lower()
        assert folder.startswith(user.partition("@")[0].lower())


def test_a_folder_named_as_another_would_be_is_not_taken_from_its_owner(tmp_path: Path) -> None:
    owners = Owners(tmp_path)
    owners.folder("acme", "john@a.test")
    second = Owners(tmp_path / "other")
    second.folder("acme", "john@a.test")
    name = second.folder("acme", "john@b.test")
    assert owners.folder("acme", f"{name}@a.test") == name
    assert owners.folder("acme", "john@b.test") not in ("john", name)


def test_tasks_that_ask_at_once_agree(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    asked = [f"john@{number % 4}.test" for number in range(40)]
    with context.Pool(4, initializer=_initialize, initargs=(str(tmp_path),)) as pool:
        answers = pool.map(_folder, asked, chunksize=1)
    folders = {user: {folder for other, folder in zip(asked, answers, strict=True) if other == user} for user in asked}
    assert all(len(found) == 1 for found in folders.values())
    assert len(set(answers)) == 4


def test_what_could_lead_out_of_the_workspace_is_refused(tmp_path: Path) -> None:
    for user in ("../john", "john/..", ".", "a b", ""):
        with pytest.raises(InvalidName):
            Owners(tmp_path).folder("acme", user)
    assert list(tmp_path.iterdir()) == []


_owners: Owners


def _initialize(root: str) -> None:
    global _owners  # noqa: PLW0603 - a process of the pool has one
    _owners = Owners(Path(root))


def _folder(user: str) -> str:
    return _owners.folder("acme", user)
