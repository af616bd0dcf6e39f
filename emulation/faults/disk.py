"""A full file system: writes fail with "no space left on device"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..services.efs import FillableFileStore, Storage
from .fault import FaultBase, FaultRefused
from .job import Job


@dataclass(frozen=True)
class FileSystemSettings:
    file_system: str
    """Its id."""


class FillFileSystem(FaultBase):
    """Takes all free space of a file system, and gives it back at the end."""

    kind: ClassVar[str] = "fill-file-system"

    def __init__(self, storage: Storage, settings: FileSystemSettings) -> None:
        super().__init__(settings, filled=0)
        self._storage = storage
        self._id = settings.file_system
        self._filled: FillableFileStore | None = None
        self._job = Job()
        self.excludes = f"{self._id} is full"

    def begin(self) -> None:
        bounded = self._filled = self._storage.fillable
        if bounded is None:
            raise FaultRefused("file systems here are folders of this machine: its own disk would have to be filled up")
        self._counts["filled"] = 1
        self._job.begin(lambda: bounded.fill(self._id))

    def end(self) -> None:
        bounded = self._filled
        if bounded is not None:
            self._job.begin(lambda: bounded.empty(self._id))

    async def settled(self) -> None:
        await self._job.settled()
