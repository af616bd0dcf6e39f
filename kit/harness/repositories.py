"""Git repositories of sessions, looked at from inside a container."""

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
    """Reads the history of sessions' projects. Changes nothing."""

    def __init__(self, context: Context, files: Files) -> None:
        self._context = context
        self._files = files

    async def log(self, session: TestSession) -> tuple[Commit, ...]:
        """The commits of the branch that is checked out, newest first; there must be at least one."""
        __tracebackhide__ = True
        output = await self._git(session, "log --format=%H%x09%s")
        commits = tuple(Commit(*line.split("\t", 1)) for line in output.splitlines())
        self._context.checks.check(
            bool(commits) and all(len(commit.id) == 40 for commit in commits),
            f"git log of {session} to list commits by their whole ids",
            seen=output,
        )
        return commits

    async def verify_continues(self, session: TestSession, before: tuple[Commit, ...]) -> tuple[Commit, ...]:
        """Check that the history is what it was `before`, id by id, with new commits on top; returns all of it."""
        __tracebackhide__ = True
        after = await self.log(session)
        self._context.checks.check(
            len(after) > len(before) and after[len(after) - len(before) :] == before,
            f"new commits of {session} on top of exactly {_listed(before)}",
            seen=_listed(after),
        )
        return after

    async def verify_unchanged(self, session: TestSession, before: tuple[Commit, ...]) -> None:
        """Check that the history is what it was `before`, id by id."""
        __tracebackhide__ = True
        after = await self.log(session)
        self._context.checks.check(
            after == before, f"the commits of {session} to be {_listed(before)}", seen=_listed(after)
        )

    async def verify_whole(self, session: TestSession) -> None:
        """Check that git finds nothing broken, and nothing in the working tree that is not committed."""
        __tracebackhide__ = True
        await self._git(session, "fsck --no-dangling --no-progress")
        left = await self._git(session, "status --porcelain")
        self._context.checks.check(not left.strip(), f"nothing uncommitted in the project of {session}", seen=left)

    async def _git(self, session: TestSession, command: str) -> str:
        __tracebackhide__ = True
        project = facts.project_path(session.client_id, session.user_id)
        # ECS Exec is a terminal: git would page and colour what it says.
        result = await self._files.run(f"{facts.git(project)} -c color.ui=false {command}")
        self._context.checks.check(
            result.exit_code == 0,
            f"git {command.split(maxsplit=1)[0]} to succeed in the project of {session}",
            seen=f"exit code {result.exit_code}: {result.output.strip()}",
        )
        return result.output


def _listed(commits: tuple[Commit, ...]) -> str:
    return f"{len(commits)} commit(s): {', '.join(map(str, commits))}"
