"""A file system is full: whoever writes to it is told that no space is left on the device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar

from ..services.efs.controller import Bounded, Storage
from .fault import FaultRefused
from .job import Job


@dataclass(frozen=True)
class FileSystemSettings:
    file_system: str
    """Its id."""


class FillFileSystem:
    """All that is free in it is taken, and given back at the end."""

    kind: ClassVar[str] = "fill-file-system"

    def __init__(self, storage: Storage, settings: FileSystemSettings) -> None:
        self._storage = storage
        self._settings = settings
        self._filled: Bounded | None = None
        self._job = Job()

    @property
    def settings(self) -> Mapping[str, object]:
        return asdict(self._settings)

    @property
    def excludes(self) -> str:
        return f"{self._settings.file_system} is full"

    def counts(self) -> Mapping[str, int]:
        return {"filled": int(self._filled is not None)}

    def begin(self) -> None:
        bounded = self._filled = self._storage.bounded
        if bounded is None:
            raise FaultRefused("file systems here are folders of this machine: its own disk would have to be filled up")
        self._job.begin(lambda: bounded.fill(self._settings.file_system))

    def end(self) -> None:
        bounded = self._filled
        if bounded is not None:
            self._job.begin(lambda: bounded.empty(self._settings.file_system))

    async def settled(self) -> None:
        await self._job.settled()
