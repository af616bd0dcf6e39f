"""Git in its sandbox, clones and branches. Real git, in temporary folders."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.system import clock
from webordinary_testkit.emulation.system.edit import refs
from webordinary_testkit.emulation.system.edit.blobs import BlobCache
from webordinary_testkit.emulation.system.edit.git import Git, GitError
from webordinary_testkit.emulation.system.edit.origin import NAME, Origin
from webordinary_testkit.emulation.system.edit.repository import Repository
from webordinary_testkit.emulation.system.edit.workspace import Workspace

HOSTILE = "a \"b\" 'c' `id` $(touch pwned)\n--amend\n#hash\nWork-Id: forged\n---\nSigned-off-by: nobody"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = Workspace(tmp_path / "workspace", clock())
    made.root.mkdir()
    made.set_up()
    return made


@pytest.fixture
def git(workspace: Workspace) -> Git:
    made = Git(shutil.which("git") or "", workspace.private / "home", workspace.root, clock())
    made.set_up()
    return made


@pytest.fixture
async def origin(git: Git, workspace: Workspace) -> Origin:
    made = Origin(git, workspace, "")
    await made.ensure()
    return made


@pytest.fixture
def repository(git: Git, workspace: Workspace, origin: Origin) -> Repository:
    return cloned(git, workspace, origin, "ann")


def cloned(git: Git, workspace: Workspace, origin: Origin, user: str) -> Repository:
    path = workspace.project("acme", user)
    made = Repository(git, path, origin.url, f"acme/{user}", BlobCache())
    made.ensure_clone()
    return made


def plain_git(*arguments: str, cwd: Path) -> str:
    """Git as a person at the keyboard runs it."""
    done = subprocess.run(["git", *arguments], cwd=cwd, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def everything_in(repository: Repository) -> bytes:
    return repository.git.run(repository.git_dir, "cat-file", "--batch-all-objects", "--batch")


async def test_the_sites_repository_is_made_of_the_sample_site(origin: Origin, workspace: Workspace) -> None:
    files = plain_git("ls-tree", "-r", "--name-only", "main", cwd=workspace.root / NAME).splitlines()
    assert {"package.json", "astro.config.mjs", "src/pages/index.astro", "public/styles.css"} <= set(files)
    assert not [file for file in files if "node_modules" in file]


async def test_tasks_that_start_at_once_make_one_repository(git: Git, workspace: Workspace) -> None:
    origins = [Origin(git, Workspace(workspace.root, clock()), "") for _ in range(3)]
    urls = await asyncio.gather(*(origin.ensure() for origin in origins))
    assert set(urls) == {str(workspace.root / NAME)}
    assert [path.name for path in workspace.root.glob("*.git")] == [NAME]


def test_a_clone_that_died_half_way_is_made_anew(git: Git, workspace: Workspace, origin: Origin) -> None:
    left = workspace.project("acme", "ann").parent / ".cloning-1"
    (left / "junk").mkdir(parents=True)
    made = cloned(git, workspace, origin, "ann")
    assert (made.path / "package.json").is_file()
    assert not left.exists()


def test_a_commit_is_found_again_by_its_work(repository: Repository) -> None:
    repository.check_out("thread-a")
    repository.commit({"src/pages/x.astro": b"x"}, f"Title\n\n{HOSTILE}\n\nWork-Id: w1\n")
    commit = repository.head("thread-a")
    assert repository.find_work("thread-a", "w1") == commit
    assert repository.find_work("thread-a", "w") is None
    assert repository.find_work("thread-a", "forged") is None
    assert repository.made_by(commit or "")[1] == ["src/pages/x.astro"]


def test_an_instruction_stands_in_the_commit_word_for_word(repository: Repository) -> None:
    repository.check_out("thread-a")
    repository.commit({}, f"Title\n\n{HOSTILE}\n\nWork-Id: w1\n")
    assert HOSTILE in plain_git("log", "-1", "--format=%B", "thread-a", cwd=repository.path)
    assert not list(repository.path.rglob("pwned"))


def test_threads_do_not_see_each_other(repository: Repository) -> None:
    for thread in ("a", "b"):
        repository.check_out(f"thread-{thread}")
        repository.commit({f"src/pages/{thread}.astro": b""}, thread)
    repository.check_out("thread-a")
    assert (repository.path / "src/pages/a.astro").exists()
    assert not (repository.path / "src/pages/b.astro").exists()
    assert "src/pages/b.astro" in repository.snapshot(repository.head("thread-b") or "").paths()


def test_users_do_not_even_have_each_others_objects(git: Git, workspace: Workspace, origin: Origin) -> None:
    ann = cloned(git, workspace, origin, "ann")
    ann.check_out("thread-a")
    ann.commit({"src/pages/secret.astro": b"marker-of-ann"}, "marker-of-ann")
    ann.push("thread-a")
    bob = cloned(git, workspace, origin, "bob")
    bob.check_out("thread-a")
    assert not (bob.path / "src/pages/secret.astro").exists()
    assert b"marker-of-ann" in everything_in(ann)
    assert b"marker-of-ann" not in everything_in(bob)


def test_a_lost_clone_comes_back_with_its_threads(git: Git, workspace: Workspace, origin: Origin) -> None:
    ann = cloned(git, workspace, origin, "ann")
    ann.check_out("thread-a")
    ann.commit({"src/pages/x.astro": b"x"}, "x")
    ann.push("thread-a")
    before = ann.head("thread-a")
    shutil.rmtree(ann.path)
    again = cloned(git, workspace, origin, "ann")
    assert again.check_out("thread-a") == before


def test_what_a_dead_task_left_behind_is_cleared_away(repository: Repository, origin: Origin) -> None:
    repository.check_out("thread-a")
    (repository.path / "src/pages/index.astro").write_text("half-written")
    (repository.path / "src/pages/stray.astro").write_text("stray")
    pushed = Path(origin.url) / "refs/heads/acme/ann"
    pushed.mkdir(parents=True)
    for lock in (repository.git_dir / "index.lock", repository.git_dir / "HEAD.lock", pushed / "thread-a.lock"):
        lock.touch()
    repository.check_out("thread-a")
    assert "half-written" not in (repository.path / "src/pages/index.astro").read_text()
    assert not (repository.path / "src/pages/stray.astro").exists()
    repository.commit({"src/pages/x.astro": b"x"}, "x")
    repository.push("thread-a")
    assert refs.commit_of(Path(origin.url), "refs/heads/acme/ann/thread-a") == repository.head("thread-a")


@pytest.mark.parametrize("path", ["../outside.txt", "/tmp/outside.txt", ".git/config", "src/../../outside.txt"])
def test_nothing_is_written_outside_the_working_tree(repository: Repository, path: str) -> None:
    repository.check_out("thread-a")
    with pytest.raises(GitError, match="leads out of the working tree"):
        repository.commit({path: b"x"}, "x")


def test_a_link_in_a_site_is_not_followed(git: Git, workspace: Workspace, tmp_path: Path) -> None:
    """A site's repository may hold anything; a link in it is checked out as a small text file."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "src").symlink_to(tmp_path)
    me = ["-c", "user.name=n", "-c", "user.email=e@x"]
    plain_git("init", "-q", "-b", "main", cwd=site)
    plain_git("add", "-A", cwd=site)
    plain_git(*me, "commit", "-q", "-m", "x", cwd=site)
    made = Repository(git, workspace.project("acme", "eve"), str(site), "acme/eve", BlobCache())
    made.ensure_clone()
    made.check_out("thread-a")
    with pytest.raises((GitError, OSError)):
        made.commit({"src/pwned.txt": b"x"}, "x")
    assert not (tmp_path / "pwned.txt").exists()


def test_the_developers_git_is_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Configuration, identity, hooks and a repository around the workspace: nothing of it is read or changed."""
    home = tmp_path / "developer"
    hooks = home / "hooks"
    hooks.mkdir(parents=True)
    (hooks / "pre-commit").write_text(f"#!/bin/sh\ntouch {tmp_path}/hooked\nexit 1\n")
    (hooks / "pre-commit").chmod(0o755)
    config = home / ".gitconfig"
    config.write_text(
        f"[user]\n name = Developer\n email = dev@x\n[core]\n hooksPath = {hooks}\n[commit]\n gpgSign = true\n"
    )
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_DIR", str(home / "elsewhere"))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Developer")
    subprocess.run(["git", "init", "-q", str(home / "repository")], env={"PATH": os.environ["PATH"]}, check=True)
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}

    root = home / "repository/workspace"
    root.mkdir()
    workspace = Workspace(root, clock())
    workspace.set_up()
    git = Git(shutil.which("git") or "", workspace.private / "home", root, clock())
    git.set_up()
    origin = Origin(git, workspace, "")
    asyncio.run(origin.ensure())
    ann = cloned(git, workspace, origin, "ann")
    ann.check_out("thread-a")
    ann.commit({"src/pages/x.astro": b"x"}, "x")
    ann.push("thread-a")

    after = {path: path.read_bytes() for path in home.rglob("*") if path.is_file() and root not in path.parents}
    assert after == before
    assert not (tmp_path / "hooked").exists()
    author = git.run(ann.git_dir, "log", "-1", "--format=%an %ae %cn %ce", "thread-a").decode().strip()
    assert author == "Webordinary edit@webordinary.invalid Webordinary edit@webordinary.invalid"


def test_git_never_looks_for_a_repository_above(git: Git, workspace: Workspace) -> None:
    with pytest.raises(GitError, match="not a git repository"):
        git.run(workspace.root / "acme/.git", "log")


def test_a_failure_says_what_git_said(git: Git, repository: Repository) -> None:
    with pytest.raises(GitError, match=r"git checkout failed with status \d+: .*nowhere"):
        git.run(repository.git_dir, "checkout", "nowhere", work_tree=repository.path)


def test_a_remote_that_needs_a_password_fails_instead_of_asking(git: Git, workspace: Workspace) -> None:
    made = Repository(git, workspace.project("acme", "ann"), "ext::sh -c id", "acme/ann", BlobCache())
    with pytest.raises(GitError, match="not allowed"):
        made.ensure_clone()


def test_commits_are_dated_in_aws_time(git: Git, repository: Repository) -> None:
    repository.check_out("thread-a")
    repository.commit({}, "x")
    seconds = int(git.run(repository.git_dir, "log", "-1", "--format=%ct", "thread-a"))
    assert seconds == pytest.approx(git._clock.now(), abs=60)


def test_refs_are_read_packed_and_loose(git: Git, repository: Repository) -> None:
    repository.check_out("thread-a")
    repository.commit({}, "x")
    loose = repository.head("thread-a")
    git.run(repository.git_dir, "pack-refs", "--all")
    assert not (repository.git_dir / "refs/heads/thread-a").exists()
    assert repository.head("thread-a") == loose
    assert repository.current_head() == loose
    assert repository.head("thread-b") is None


def test_a_snapshot_reads_what_the_commit_has(repository: Repository) -> None:
    commit = repository.check_out("thread-a")
    (repository.path / "src/pages/index.astro").write_text("uncommitted")
    snapshot = repository.snapshot(commit)
    assert b"Welcome" in snapshot.read("src/pages/index.astro")
    assert snapshot.read("public/robots.txt") == b"User-agent: *\nDisallow: /\n"
    with pytest.raises(KeyError):
        snapshot.read("nowhere")


def test_the_cache_of_contents_stays_within_its_limit() -> None:
    cache = BlobCache(limit=10)
    cache.put("a", b"12345")
    cache.put("b", b"12345")
    assert cache.get("a")
    cache.put("c", b"1")
    assert cache.get("b") is None
    assert cache.get("a") == b"12345"
    cache.put("d", b"x" * 11)
    assert cache.get("d") is None
