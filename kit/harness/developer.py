"""The machine the kit runs on: its git configuration and repositories, which no scenario may ever touch."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kit.harness.context import Context

_WITHIN = 30.0
"""Wall seconds for one git command."""


@dataclass(frozen=True)
class Mine:
    """What is the developer's own, at one moment."""

    identity: str
    """The global `user.name` and `user.email`; empty when there is none."""
    configuration: str
    """Every line of the global git configuration, with the file it stands in."""
    heads: dict[Path, frozenset[str]]
    """The commits of all refs, by repository."""


class Developer:
    """Looks at this machine's git; changes nothing."""

    def __init__(self, context: Context, *places: Path) -> None:
        self._context = context
        self._places = places or (Path.cwd(), Path(__file__).parent)

    async def look(self) -> Mine:
        """What there is now: of the repositories around the working directory and around the kit's own source."""
        return await self._context.cloud.threads.run(self._look)

    async def verify_untouched(self, before: Mine, words: Iterable[str]) -> None:
        """Check that the configuration is as before, and that no commit since has one of these words in it.

        The developer may commit meanwhile: what is new is judged by what it says.
        """
        __tracebackhide__ = True
        after = await self.look()
        checks = self._context.checks
        checks.equal(after.configuration, before.configuration, "the global git configuration of this machine")
        checks.equal(sorted(after.heads), sorted(before.heads), "the git repositories around the kit")
        for repository, heads in before.heads.items():
            new = await self._context.cloud.threads.run(_commits_since, repository, heads)
            found = [word for word in words if word in new]
            checks.equal(found, [], f"what new commits and files in {repository} have of this scenario")

    def _look(self) -> Mine:
        around = {_git(place, "rev-parse", "--show-toplevel") for place in self._places}
        repositories = sorted(Path(top) for top in around if top)
        configuration = _git(Path.home(), "config", "--global", "--list", "--show-origin")
        name, mail = (_git(Path.home(), "config", "--global", key) for key in ("user.name", "user.email"))
        heads = {repository: frozenset(_git(repository, "rev-parse", "--all").split()) for repository in repositories}
        return Mine(f"{name} <{mail}>" if name or mail else "", configuration, heads)


def _commits_since(repository: Path, heads: frozenset[str]) -> str:
    """The messages, authors and patches that came since, and the names of files that are not committed."""
    log = _git(repository, "log", "--all", "--format=%an %ae %cn %ce%n%B", "--name-only", "--not", *sorted(heads))
    return f"{log}\n{_git(repository, 'status', '--porcelain')}"


def _git(folder: Path, *arguments: str) -> str:
    """What git says there; empty when it has nothing to say, for example because there is no repository."""
    done = subprocess.run(
        ["git", "--no-optional-locks", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=_WITHIN,
        check=False,
    )
    return done.stdout.strip() if done.returncode == 0 else ""
