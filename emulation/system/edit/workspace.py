"""The shared workspace: whose files lie where, and who may change them now.

$WORKSPACE_PATH/{clientId}/{user}/project              a clone per client and user; see owners.py for {user}
$WORKSPACE_PATH/webordinary-integration-tests.git      the site's repository, unless another one is set
$WORKSPACE_PATH/.edit/                                 locks, owners of folders, index of sessions, git's home
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from .. import names
from ..clock import Clock
from ..locks import Locks
from .owners import Owners

_LOCK_POLL = 0.5
"""AWS seconds between two looks at a lock that another task holds."""


class Workspace:
    def __init__(self, root: Path, clock: Clock) -> None:
        self.root = root
        self.private = root / ".edit"
        """Of the edit container itself; no client id starts with a dot."""
        self._owners = Owners(self.private / "owners")
        self._clock = clock
        self._locks = Locks()

    def set_up(self) -> None:
        for folder in ("locks", "sessions"):
            (self.private / folder).mkdir(parents=True, exist_ok=True)

    def is_usable(self) -> bool:
        return self.private.is_dir() and os.access(self.root, os.R_OK | os.W_OK | os.X_OK)

    def project(self, client_id: str, user_id: str) -> Path:
        """The folder of a client's user; raises `InvalidName` for anything that could lead out of the workspace."""
        client, folder = names.client_id(client_id), self._owners.folder(client_id, user_id)
        path = self.root / client / folder / "project"
        if not path.resolve().is_relative_to(self.root.resolve()):
            raise names.InvalidName(f"The workspace of {client}/{folder} leads out of {self.root}")
        return path

    @asynccontextmanager
    async def lock(self, name: str) -> AsyncIterator[None]:
        """Hold a lock of this name, in this task and among all tasks on the workspace; it dies with its holder."""
        async with self._locks[name]:
            descriptor = os.open(self.private / "locks" / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                while not _locked(descriptor):
                    await self._clock.sleep(_LOCK_POLL)
                yield
            finally:
                os.close(descriptor)


def lock_name(client_id: str, user_id: str) -> str:
    """The lock of one client's user: there is one clone, so there is one worker at a time."""
    return f"{names.client_id(client_id)}@{names.user_folder(user_id)}"


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
