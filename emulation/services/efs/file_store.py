"""Stores the files of EFS file systems."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol, runtime_checkable


class MountFailed(Exception):
    """The volume cannot be mounted; the text is mount.efs's."""


@dataclass(frozen=True)
class NamedVolume:
    """A volume of a container engine."""

    name: str
    group: int | None = None
    """A supplementary group of the users of the volume."""


@dataclass(frozen=True)
class Owner:
    uid: int
    gid: int


@dataclass(frozen=True)
class Volume:
    """A mounted file system."""

    source: Path | NamedVolume
    posix_user: Owner | None = None
    """The user that an access point enforces. Containers apply it; local processes keep their user."""


class FileStore(Protocol):
    """Keeps the files of file systems. Directories are absolute and free of `..`."""

    async def find_directory(self, file_system: str, directory: PurePosixPath) -> Path | NamedVolume:
        """An existing directory. Raises `MountFailed`."""
        ...

    async def ensure_directory(
        self, file_system: str, directory: PurePosixPath, info: Mapping[str, Any] | None, owner: Owner | None
    ) -> Path | NamedVolume:
        """A directory, created by `info` (an access point's CreationInfo) if missing; `owner` is the user that the
        access point enforces. Raises `MountFailed`."""
        ...

    async def remove(self, file_system: str) -> None:
        """Remove the files of a deleted file system."""
        ...


@runtime_checkable
class FillableFileStore(Protocol):
    """A `FileStore` whose file systems can be filled up without harm to anything else."""

    async def fill(self, file_system: str) -> None:
        """Use up its free space. Raises `OSError`."""
        ...

    async def empty(self, file_system: str) -> None:
        """Free the space that `fill` used, if any. Raises `OSError`."""
        ...


class LocalFileStore:
    """A `FileStore` in folders of this machine."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def find_directory(self, file_system: str, directory: PurePosixPath) -> Path:
        folder = self._below(file_system, directory)
        if not folder.is_dir():
            raise no_such_directory(directory)
        return folder

    async def ensure_directory(
        self, file_system: str, directory: PurePosixPath, info: Mapping[str, Any] | None, owner: Owner | None
    ) -> Path:
        folder = self._below(file_system, directory)
        if not folder.exists():
            _create(folder, creation_info(info))
        return folder

    async def remove(self, file_system: str) -> None:
        await asyncio.to_thread(shutil.rmtree, self._root / file_system, ignore_errors=True)

    def _below(self, file_system: str, directory: PurePosixPath) -> Path:
        """The folder of a directory. Raises `MountFailed` if a symbolic link leads outside the file system."""
        top = self._root / PurePosixPath(file_system).name
        top.mkdir(parents=True, exist_ok=True)
        folder = top.joinpath(*directory.parts[1:])
        if not folder.resolve().is_relative_to(top.resolve()):
            raise leads_outside(file_system, directory)
        return folder


def no_such_directory(directory: PurePosixPath) -> MountFailed:
    """The error for a missing directory."""
    return MountFailed(
        f"mount.nfs4: mounting 127.0.0.1:{directory} failed, reason given by server: No such file or directory"
    )


def leads_outside(file_system: str, directory: PurePosixPath) -> MountFailed:
    """The error for a symbolic link that leads out of the file system."""
    return MountFailed(f"mount.nfs4: {directory} leads out of {file_system}")


@dataclass(frozen=True)
class CreationInfo:
    """Owner and permissions of a new root directory of an access point."""

    owner: Owner
    mode: int


def creation_info(info: Mapping[str, Any] | None) -> CreationInfo:
    """Parses an access point's CreationInfo. Raises `MountFailed` without one: EFS then creates no directory."""
    if info is None:
        raise MountFailed(
            "mount.nfs4: access denied by server while mounting 127.0.0.1:/ (the root directory is missing)"
        )
    return CreationInfo(Owner(int(info["OwnerUid"]), int(info["OwnerGid"])), int(info["Permissions"], 8))


def _create(folder: Path, how: CreationInfo) -> None:
    folder.mkdir(parents=True)
    folder.chmod(how.mode)
    if os.geteuid() == 0:  # only root may change the owner of files
        os.chown(folder, how.owner.uid, how.owner.gid)
