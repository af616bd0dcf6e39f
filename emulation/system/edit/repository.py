"""A client's clone of the site: branches of threads, commits of works, snapshots to look at. Blocking."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from . import refs
from .blobs import BlobCache, Snapshot
from .git import Git, GitError

_START = "refs/remotes/origin/HEAD"
"""Where the branch of a new thread begins: at the site as it is."""


@dataclass(frozen=True)
class Repository:
    """Callers hold the workspace's lock for everything but `head`, `snapshot` and `changed_between`."""

    git: Git
    path: Path
    """The working tree."""
    url: str
    namespace: str
    """`{clientId}/{user}`: below it the branches are pushed, so that no clone ever sees another's."""
    cache: BlobCache

    @property
    def git_dir(self) -> Path:
        return self.path / ".git"

    def ensure_clone(self) -> None:
        """Clone the site if that was not done yet. A clone appears whole or not at all."""
        if (self.git_dir / "HEAD").is_file():
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        for left_over in self.path.parent.glob(".cloning-*"):
            shutil.rmtree(left_over, ignore_errors=True)
        cloning = self.path.with_name(f".cloning-{os.getpid()}")
        # --no-local: copy what is reachable, not the whole object store with everybody's work in it.
        options = ["--quiet", "--no-local", "--single-branch", "--no-tags", "--template=", "--origin=origin"]
        self.git.run(None, "clone", *options, "--", self.url, str(cloning))
        cloning.rename(self.path)

    def check_out(self, branch: str) -> str:
        """Put the working tree at the head of a branch, which is made if need be; returns the commit.

        What a task that died left behind is cleared away: its locks, and changes it had not committed.
        """
        self._clear_locks(self.git_dir, branch)
        if self.head(branch) is None:
            self._make_branch(branch)
        self._run("checkout", "--quiet", "--force", branch, "--")
        self._run("clean", "--quiet", "--force", "-d")
        return self.head(branch) or ""

    def head(self, branch: str) -> str | None:
        """The commit of a branch, None while there is no clone or no branch."""
        return refs.commit_of(self.git_dir, f"refs/heads/{branch}")

    def current_head(self) -> str | None:
        """The commit of the branch that is checked out."""
        ref = refs.current_branch(self.git_dir)
        return refs.commit_of(self.git_dir, ref) if ref else None

    def find_work(self, branch: str, work_id: str) -> str | None:
        """The commit of a work, known by its trailer. Words of an instruction cannot forge one: ours come last."""
        trailer = f"Work-Id: {work_id}"
        form = "--format=%H %(trailers:key=Work-Id,valueonly,separator=%x2C)"
        since_start = f"{_START}..refs/heads/{branch}"
        found = self._run("log", "--fixed-strings", f"--grep={trailer}", form, since_start, "--").decode()
        for line in found.splitlines():
            commit, _, works = line.partition(" ")
            if works == work_id:
                return commit
        return None

    def commit(self, changes: Mapping[str, bytes | None], message: str) -> None:
        """Make these changes in the working tree and commit them, also when there are none: a work is recorded."""
        for path, content in changes.items():
            file = self._inside(path)
            if content is None:
                file.unlink(missing_ok=True)
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
        if changes:
            stdin = "\0".join(changes).encode()
            self._run("add", "--all", "--force", "--pathspec-from-file=-", "--pathspec-file-nul", stdin=stdin)
        options = ["--quiet", "--no-verify", "--allow-empty", "--cleanup=verbatim", "--file=-"]
        self._run("commit", *options, stdin=message.encode("utf-8", "replace"))

    def push(self, branch: str) -> None:
        """Push a branch to its place in the site's repository; raises `GitError`."""
        if (local := Path(self.url)).is_dir():
            self._clear_locks(local, f"{self.namespace}/{branch}")
        self._run("push", "--quiet", "--force", "origin", f"refs/heads/{branch}:{self._pushed(branch)}")

    def made_by(self, commit: str) -> tuple[str, list[str]]:
        """The first line of a commit's message, and the files that it changed."""
        options = ["--no-renames", "--name-only", "-z", "--format=%s%x00"]
        subject, _, paths = self._run("show", *options, commit, "--").partition(b"\0")
        return subject.decode("utf-8", "replace").strip(), _paths(paths.lstrip(b"\0\n"))

    def changed_between(self, before: str, after: str) -> list[str]:
        return _paths(self._run("diff-tree", "--name-only", "-r", "-z", before, after))

    def snapshot(self, commit: str) -> Snapshot:
        return Snapshot(self.git, self.git_dir, commit, self.cache)

    def _make_branch(self, branch: str) -> None:
        """From the site's repository when it was pushed there before, else from the site as it is."""
        pushed = self._pushed(branch)
        local = Path(self.url)
        if not local.is_dir() or refs.commit_of(local, pushed):
            try:
                self._run("fetch", "--quiet", "--no-tags", "origin", f"{pushed}:refs/heads/{branch}")
            except GitError as error:
                if "couldn't find remote ref" not in str(error):
                    raise
            else:
                return
        self._run("branch", "--no-track", branch, _START)

    def _pushed(self, branch: str) -> str:
        return f"refs/heads/{self.namespace}/{branch}"

    def _inside(self, path: str) -> Path:
        file = self.path / path
        if ".git" in Path(path).parts or not file.resolve().is_relative_to(self.path.resolve()):
            raise GitError(f"{path} leads out of the working tree")
        return file

    def _clear_locks(self, git_dir: Path, branch: str) -> None:
        for lock in ("index.lock", "HEAD.lock", f"refs/heads/{branch}.lock"):
            (git_dir / lock).unlink(missing_ok=True)

    def _run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        return self.git.run(self.git_dir, *arguments, work_tree=self.path, stdin=stdin)


def _paths(output: bytes) -> list[str]:
    return [path.decode("utf-8", "replace") for path in output.split(b"\0") if path]
