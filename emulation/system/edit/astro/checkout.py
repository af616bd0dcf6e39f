"""A session's files on local disk, as the head of its branch has them. Blocking."""

from __future__ import annotations

from pathlib import Path

from ..blobs import Snapshot
from .host import Event

_NOT_OURS = ("node_modules", ".git", ".astro", ".astro-cache", ".vite-cache")
"""Folders at the root that are the tools' own."""


class Checkout:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.commit = ""
        self._blobs: dict[str, str] = {}

    def update(self, snapshot: Snapshot) -> list[Event]:
        """Make the files those of a commit, and return what became of which. Raises `GitError` or OSError."""
        wanted = {path: blob for path, blob in snapshot.blobs().items() if self._is_ours(path)}
        written = [path for path, blob in wanted.items() if self._blobs.get(path) != blob]
        gone = self._blobs.keys() - wanted.keys()
        for path in gone:
            (self.root / path).unlink(missing_ok=True)
        for path, content in snapshot.contents(written).items():
            file = self.root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        events = [("unlink", path) for path in sorted(gone)]
        events += [("change" if path in self._blobs else "add", path) for path in written]
        self._blobs, self.commit = wanted, snapshot.commit
        return events

    def _is_ours(self, path: str) -> bool:
        parts = path.split("/")
        return parts[0] not in _NOT_OURS and ".." not in parts
