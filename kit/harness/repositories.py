"""The git repositories of sessions, read from inside a container."""

from __future__ import annotations

from dataclasses import dataclass

from ..system import facts
from .context import Context
from .files import Files
from .sessions import TestSession


@dataclass(frozen=True)
class Commit:
    """A commit of a session's branch."""

    id: str
    """All 40 hexadecimal digits."""
    subject: str

    def __str__(self) -> str:
        return f"{self.id[:10]} {self.subject!r}"


class Repositories:
    """Runs git in sessions' projects and checks their histories."""

    def __init__(self, context: Context, files: Files) -> None:
        self._context = context
        self._files = files

    async def log(self, session: TestSession) -> tuple[Commit, ...]:
        """The commits of the current branch, newest first; checks that there is at least one."""
        __tracebackhide__ = True
        output = await self.git(session, "log --format=%H%x09%s")
        commits = tuple(Commit(*line.split("\t", 1)) for line in output.splitlines())
        self._context.checks.check(
            bool(commits) and all(len(commit.id) == 40 for commit in commits),
            f"git log of {session} to list commits by their whole ids",
            seen=output,
        )
        return commits

    async def verify_continues(self, session: TestSession, before: tuple[Commit, ...]) -> tuple[Commit, ...]:
        """Check that new commits follow exactly those of `before`, id by id; returns the whole history."""
        __tracebackhide__ = True
        after = await self.log(session)
        self._context.checks.check(
            len(after) > len(before) and after[len(after) - len(before) :] == before,
            f"new commits of {session} on top of exactly {_listed(before)}",
            seen=_listed(after),
        )
        return after

    async def verify_unchanged(self, session: TestSession, before: tuple[Commit, ...]) -> None:
        """Check that the history equals `before`, id by id."""
        __tracebackhide__ = True
        after = await self.log(session)
        self._context.checks.check(
            after == before, f"the commits of {session} to be {_listed(before)}", seen=_listed(after)
        )

    async def verify_whole(self, session: TestSession) -> None:
        """Check that the repository is intact and its working tree is clean."""
        __tracebackhide__ = True
        await self.git(session, "fsck --no-dangling --no-progress")
        left = await self.git(session, "status --porcelain")
        self._context.checks.check(not left.strip(), f"nothing uncommitted in the project of {session}", seen=left)

    async def git(self, session: TestSession, command: str) -> str:
        """The output of a git command in the session's project; checks its exit code."""
        __tracebackhide__ = True
        # ECS Exec is a terminal: git would colour its output.
        result = await self._files.run(f"{facts.git(session.path())} -c color.ui=false {command}")
        self._context.checks.check(
            result.exit_code == 0,
            f"git {command.split(maxsplit=1)[0]} to succeed in the project of {session}",
            seen=f"exit code {result.exit_code}: {result.output.strip()}",
        )
        return result.output


def _listed(commits: tuple[Commit, ...]) -> str:
    return f"{len(commits)} commit(s): {', '.join(map(str, commits))}"
