"""Searches the files and git histories of users' workspaces for markers, from inside a container."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from typing import Literal

from ..system import facts
from .context import Context
from .files import Files
from .sessions import TestSession

Place = Literal["files", "history"]

_SAYS: dict[Place, str] = {
    # Names and contents, without .git: its objects are packed, and the history covers them.
    "files": "{ find . -name .git -prune -o -print; grep -rh --exclude-dir=.git -F FOR . ; }",
    "history": "git --no-pager -c 'safe.directory=*' log --all --patch --color=never "
    "--format='%H %an %ae %cn %ce %D%n%B'",
}
_USER = "user:"


class Markers:
    """Searches all workspaces in one command."""

    def __init__(self, context: Context, files: Files) -> None:
        self._context = context
        self._files = files

    async def search(
        self, place: Place, sessions: Sequence[TestSession], markers: Collection[str]
    ) -> dict[str, frozenset[str]]:
        """The markers in each session's project, by session id. Raises LookupError when a project is missing."""
        wanted = " ".join(f"-e {shlex.quote(marker)}" for marker in markers)
        search = _SAYS[place].replace("FOR", wanted)
        folders = " ".join(shlex.quote(f"{session.client_id}/{facts.user_of(session.user_id)}") for session in sessions)
        command = (
            f'for folder in {folders}; do cd "$WORKSPACE_PATH/$folder/project" || exit 3; echo "{_USER}$folder"; '
            f"{search} | grep -oF {wanted} | sort -u; done"
        )
        result = await self._files.run(command)
        if result.exit_code not in (0, 1):  # grep exits with 1 if the last project has none
            raise LookupError(f"no project to search for markers: {result.output.strip()[-300:]}")
        by_folder = _read(result.output)
        return {
            session.session_id: by_folder[f"{session.client_id}/{facts.user_of(session.user_id)}"]
            for session in sessions
        }

    async def verify_workspaces(
        self, place: Place, sessions: Sequence[TestSession], own: Mapping[str, frozenset[str]]
    ) -> None:
        """Check that each session's project contains exactly its own markers; `own` is by session id."""
        __tracebackhide__ = True
        found = await self.search(place, sessions, sorted(frozenset().union(*own.values())))
        for session in sessions:
            self._verify(f"the {place} of {session}", found[session.session_id], own[session.session_id])

    def verify_own_only(self, where: str, text: str, *, own: frozenset[str], everyone: frozenset[str]) -> None:
        """Check that a text contains exactly its own of all the markers."""
        __tracebackhide__ = True
        self._verify(where, frozenset(marker for marker in everyone if marker in text), own)

    def _verify(self, where: str, found: frozenset[str], own: frozenset[str]) -> None:
        __tracebackhide__ = True
        foreign, lacking = sorted(found - own), sorted(own - found)
        self._context.checks.check(
            not foreign and not lacking,
            f"the markers in {where} to be its own {len(own)} and no others",
            seen=f"own: {', '.join(sorted(own))}; foreign: {', '.join(foreign) or 'none'}; "
            f"lacking: {', '.join(lacking) or 'none'}",
        )


def _read(output: str) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    folder = ""
    for line in output.splitlines():
        if line.startswith(_USER):
            folder = line.removeprefix(_USER)
            found[folder] = frozenset()
        elif line:
            found[folder] |= {line}
    return found
