"""A sentinel repository above the sessions' projects: git run outside a project finds it.

    $WORKSPACE_PATH/.git                          the sentinel, planted from inside a container
    $WORKSPACE_PATH/{client}/{user}/project/.git  the repositories to which sessions commit

The deployed system once committed into its developer's repository: git, run in a folder without one, found the next
one above. Tasks on AWS or in containers have no developer's repository above them, and a developer's own must not be
put at risk. The sentinel replaces it in every cloud.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from .context import Context
from .files import Files

_OURS = "webordinary-test-kit"
"""A file that marks the sentinel: a repository without it is never touched."""
_IDENTITY = "-c user.name=sentinel -c user.email=sentinel@webordinary.invalid -c commit.gpgSign=false"
_PLANT = " && ".join(
    (
        'cd "$WORKSPACE_PATH"',
        f"{{ test ! -e .git || test -e .git/{_OURS}; }}",
        "rm -rf .git",
        "git init -q --template= .",
        f'git -c "safe.directory=*" {_IDENTITY} commit -q --allow-empty -m sentinel',
        f"touch .git/{_OURS}",
        # ECS Exec runs as root; the workspace's owner must be able to write here too.
        'chown -R "$(stat -c %u:%g .)" .git',
    )
)
_STATE = 'cd "$WORKSPACE_PATH/.git" && find . -type f -exec cksum {} + | sort -k 3'
"""Checksums of all its files: configuration, index, HEAD, refs, logs and objects."""
_LOG = 'git --no-pager -c "safe.directory=*" -c color.ui=false -C "$WORKSPACE_PATH" log --all -20 --format="%h %cn: %s"'
_UPROOT = f'cd "$WORKSPACE_PATH" && test -e .git/{_OURS} && rm -rf .git'


class Sentinel:
    """Plants the sentinel and checks that it is unchanged."""

    def __init__(self, context: Context, files: Files) -> None:
        self._context = context
        self._files = files
        self._planted = ""

    @asynccontextmanager
    async def planted(self) -> AsyncIterator[None]:
        """A sentinel inside the block; an edit container must run at its beginning and at its end.

        Raises RuntimeError when it cannot be planted, read or removed.
        """
        await self._shell(_PLANT)
        self._planted = await self._shell(_STATE)
        try:
            yield
        except BaseException:
            with suppress(Exception):  # the block's error matters; the next sentinel replaces this one
                await self._shell(_UPROOT)
            raise
        await self._shell(_UPROOT)

    async def verify_untouched(self) -> None:
        """Check that every file of the sentinel is unchanged: no commit, index or configuration was added."""
        __tracebackhide__ = True
        now = await self._shell(_STATE)
        self._context.checks.check(
            now == self._planted,
            "the repository above the projects to be unchanged, without a new commit, index or configuration",
            seen=f"{await self._shell(_LOG)}\n{_changed(self._planted, now)}",
            next="see which of the system's git commands does not name its repository",
        )

    async def _shell(self, command: str) -> str:
        done = await self._files.run(command)
        if done.exit_code != 0:
            raise RuntimeError(f"the sentinel repository: exit code {done.exit_code}: {done.output.strip()}")
        return done.output


def _changed(before: str, after: str) -> str:
    """The names of the changed files."""
    lines = set(before.splitlines()) ^ set(after.splitlines())
    return " ".join(sorted({line.split()[-1] for line in lines})) or "no file differs"
