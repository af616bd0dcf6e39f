"""The repositories of all clients' users, and what their branches look like right now."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from concurrent.futures import Executor

from .blobs import BlobCache, Snapshot
from .git import Git
from .origin import Origin
from .repository import Repository
from .workspace import Workspace

_SNAPSHOTS = 64
"""Snapshots kept: about one for each session that is being looked at."""


class Projects:
    def __init__(self, git: Git, workspace: Workspace, origin: Origin, threads: Executor) -> None:
        self._git = git
        self._workspace = workspace
        self._origin = origin
        self._threads = threads
        self._cache = BlobCache()
        self._snapshots: OrderedDict[str, Snapshot] = OrderedDict()

    def repository(self, client_id: str, user_id: str) -> Repository:
        """It may not be cloned yet. Raises `InvalidName`."""
        path = self._workspace.project(client_id, user_id)
        return Repository(
            git=self._git,
            path=path,
            url=self._origin.url,
            namespace=f"{path.parent.parent.name}/{path.parent.name}",
            cache=self._cache,
        )

    async def prepared(self, client_id: str, user_id: str) -> Repository:
        """The repository, cloned; to be called under its lock. Raises `GitError`."""
        repository = self.repository(client_id, user_id)
        await self._origin.ensure()
        await asyncio.get_running_loop().run_in_executor(self._threads, repository.ensure_clone)
        return repository

    async def snapshot(self, client_id: str, user_id: str, branch: str) -> Snapshot | None:
        """The files at a branch's head; None while there are none."""
        loop = asyncio.get_running_loop()
        repository = self.repository(client_id, user_id)
        commit = repository.head(branch)
        if commit is None:
            return None
        snapshot = self._snapshots.get(commit)
        if snapshot is None:
            snapshot = await loop.run_in_executor(self._threads, repository.snapshot, commit)
            self._snapshots[commit] = snapshot
            if len(self._snapshots) > _SNAPSHOTS:
                self._snapshots.popitem(last=False)
        else:
            self._snapshots.move_to_end(commit)
        return snapshot
