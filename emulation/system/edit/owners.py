"""Which folder of a client belongs to which user: the local part of the address, for the first user who has it.

A second user of that local part, at another domain, gets a folder of their own, whose name ends in a hash of
the address. Owners are recorded on the shared workspace, so every task gives the same answer, now and later.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from .. import names


class Owners:
    """The owners of folders, a small file for each."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[tuple[str, str], str] = {}

    def folder(self, client_id: str, user_id: str) -> str:
        """The folder of a client's user, which is theirs from now on. Raises `InvalidName`."""
        client, user = names.client_id(client_id), names.user_id(user_id).lower()
        known = self._known.get((client, user))
        if known is None:
            known = next(name for name in _names(user) if self._owner(client, name, user) == user)
            self._known[client, user] = known
        return known

    def _owner(self, client: str, folder: str, user: str) -> str:
        """The user to whom a folder belongs: this one, if it belonged to none."""
        file = self._root / client / folder
        file.parent.mkdir(parents=True, exist_ok=True)
        mine = file.with_name(f".{os.getpid()}-{hashlib.sha256(user.encode()).hexdigest()}")
        mine.write_text(user)
        try:
            # Of two who link at once, one is first; no reader sees a file without its content.
            with suppress(FileExistsError):
                os.link(mine, file)
        finally:
            mine.unlink(missing_ok=True)
        return file.read_text()


def _names(user: str) -> list[str]:
    """The folders that a user may have, the best first; another user has the last one only if the hash is broken."""
    local = names.user_folder(user)
    digest = hashlib.sha256(user.encode()).hexdigest()
    return [local, *(f"{local[:24]}-{digest[:length]}" for length in (8, 16, 32))]
