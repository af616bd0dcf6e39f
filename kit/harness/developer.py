"""Checks that no scenario touches this machine's git configuration and repositories.

Tasks in containers and on AWS cannot reach them; for those, the sentinel (sentinel.py) shows what would happen.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import KitError
from .context import Context

_WITHIN = 30.0
"""Wall seconds for one git command."""
_NO_REPOSITORY = "not a git repository"


@dataclass(frozen=True)
class GitState:
    """The developer's git configuration and repositories at one moment."""

    identity: str
    """The global `user.name` and `user.email`; empty when there is none."""
    configuration: tuple[str, ...]
    """Every entry of the global git configuration, with its file."""
    heads: dict[Path, frozenset[str]]
    """The commits of all refs, by repository; empty when there is no repository around the kit."""


class Developer:
    """Reads this machine's git state. Raises `KitError` when git cannot be read."""

    def __init__(self, context: Context, *places: Path) -> None:
        self._context = context
        self._places = places or (Path.cwd(), Path(__file__).parent)

    async def state(self) -> GitState:
        """The current state, with the repositories around the working directory and the kit's source."""
        return await self._context.cloud.threads.run(self._state)

    async def verify_untouched(self, before: GitState, words: Iterable[str], people: Iterable[str] = ()) -> None:
        """Check that the configuration is unchanged, and that no commit or file since then contains one of these words.

        `people` (`Name <address>`) must not have committed either. The developer may commit meanwhile.
        """
        __tracebackhide__ = True
        after = await self.state()
        checks = self._context.checks
        checks.equal(after.configuration, before.configuration, "the global git configuration of this machine")
        checks.equal(sorted(after.heads), sorted(before.heads), "the git repositories around the kit")
        signs = [*words, *people]
        for repository, heads in before.heads.items():
            new = await self._context.cloud.threads.run(_commits_since, repository, heads)
            found = [sign for sign in signs if sign in new]
            checks.equal(found, [], f"words of this scenario in new commits and files of {repository}")

    def _state(self) -> GitState:
        repositories = sorted({top for place in self._places if (top := _repository_around(place)) is not None})
        configuration = _global_configuration()
        values = dict(entry for _, entry in configuration)
        name, mail = values.get("user.name", ""), values.get("user.email", "")
        heads = {repository: frozenset(_git(repository, "rev-parse", "--all").split()) for repository in repositories}
        lines = tuple(f"{file}: {key}={value}" for file, (key, value) in configuration)
        return GitState(f"{name} <{mail}>" if name or mail else "", lines, heads)


def _global_configuration() -> list[tuple[str, tuple[str, str]]]:
    """The entries with their files in git's order: the last one of a key counts."""
    said = _git(Path.home(), "config", "--list", "--show-scope", "--show-origin", "-z").split("\0")
    entries = zip(said[0::3], said[1::3], said[2::3], strict=False)
    return [(file, _entry(entry)) for scope, file, entry in entries if scope == "global"]


def _entry(said: str) -> tuple[str, str]:
    key, _, value = said.partition("\n")
    return key, value


def _commits_since(repository: Path, heads: frozenset[str]) -> str:
    """The messages, people and files of the commits since then, and the names of uncommitted files."""
    form = "--format=%an <%ae>%n%cn <%ce>%n%B"
    log = _git(repository, "log", "--all", form, "--name-only", "--not", *sorted(heads))
    return f"{log}\n{_git(repository, 'status', '--porcelain')}"


def _repository_around(place: Path) -> Path | None:
    """The top folder of the repository, if `place` is in one."""
    top = _git(place, "rev-parse", "--show-toplevel", unless=_NO_REPOSITORY)
    return Path(top) if top else None


def _git(folder: Path, *arguments: str, unless: str = "") -> str:
    """The output of git; empty if it fails with the message `unless`. Raises `KitError` for any other failure."""
    done = subprocess.run(
        ["git", "--no-optional-locks", *arguments],
        cwd=folder,
        env={**os.environ, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        timeout=_WITHIN,
        check=False,
    )
    if done.returncode != 0:
        if unless and unless in done.stderr:
            return ""
        raise KitError(
            f"git cannot be read, so whether it was touched is unknown: {done.stderr.strip()}",
            where=str(folder),
            next=f"make this work: git -C {folder} {' '.join(done.args[2:])}",
        )
    return done.stdout.strip("\n")
