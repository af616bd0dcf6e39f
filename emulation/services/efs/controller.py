"""EFS as tasks see it: folders, or volumes of a container engine, that outlive them.

An access point shows the part of its file system below its root directory. File systems and access points themselves
are declared in the base.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol, runtime_checkable

from ...core.controller import Call, Context, Handler, Operation, Watcher
from ...core.errors import AwsError


class MountFailed(Exception):
    """The volume cannot be mounted; the text is what mount.efs would say."""


@dataclass(frozen=True)
class NamedVolume:
    """A volume that a container engine keeps."""

    name: str
    group: int | None = None
    """Whoever mounts it belongs to this group."""


@dataclass(frozen=True)
class Owner:
    uid: int
    gid: int


@dataclass(frozen=True)
class Volume:
    """A mounted file system."""

    source: Path | NamedVolume
    posix_user: Owner | None = None
    """Whom an access point makes of everybody who uses it. A local process stays who it is; a container need not."""


class Storage:
    """Maps (file system, access point, root directory) to what a task mounts."""

    def __init__(self, ctx: Context, shelves: Shelves | None = None) -> None:
        """`shelves` keeps the files; folders below the run's work directory unless told."""
        self._ctx = ctx
        self._shelves = shelves or Folders(ctx.workdir / "efs")
        self._removals: set[asyncio.Task[None]] = set()

    def handlers(self) -> Mapping[Operation, Handler]:
        return {}

    def watchers(self) -> Mapping[Operation, Watcher]:
        return {("efs", "DeleteFileSystem"): self._file_system_deleted}

    async def start(self) -> None:
        """Nothing to begin: folders are made when they are first mounted."""

    async def stop(self) -> None:
        await asyncio.gather(*self._removals, return_exceptions=True)

    @property
    def bounded(self) -> Bounded | None:
        """By whom file systems can be filled up; None where they are a part of this machine's own disk."""
        return self._shelves if isinstance(self._shelves, Bounded) else None

    async def mount(self, file_system: str, access_point: str | None = None, root_directory: str = "/") -> Volume:
        """The folder a task gets. An access point's root directory is made with its creation info's owner and
        permissions if it does not exist. Raises `MountFailed` where mount.efs would fail."""
        await self._check_reachable(file_system)
        if access_point is None:
            return Volume(await self._shelves.existing(file_system, _inside(file_system, root_directory)))
        declared = await self._access_point(file_system, access_point)
        root = declared.get("RootDirectory", {})
        user = declared.get("PosixUser")
        owner = Owner(int(user["Uid"]), int(user["Gid"])) if user else None
        directory = _inside(file_system, root.get("Path", "/"))
        return Volume(await self._shelves.made(file_system, directory, root.get("CreationInfo"), owner), owner)

    async def _check_reachable(self, file_system: str) -> None:
        region = self._ctx.region
        try:
            answer = await self._ctx.aws.call("efs", "DescribeMountTargets", FileSystemId=file_system)
        except AwsError as error:
            raise MountFailed(
                f'Failed to resolve "{file_system}.efs.{region}.amazonaws.com" - check that your file system ID is '
                f"correct, and ensure that the VPC has an EFS mount target for this file system ID. ({error.message})"
            ) from error
        if not answer.get("MountTargets"):
            raise MountFailed(
                f'Failed to resolve "{file_system}.efs.{region}.amazonaws.com" - The file system mount target ip '
                "address cannot be found, please pass mount target ip address via mount options."
            )

    async def _access_point(self, file_system: str, access_point: str) -> Mapping[str, Any]:
        try:
            answer = await self._ctx.aws.call("efs", "DescribeAccessPoints", AccessPointId=access_point)
        except AwsError as error:
            raise MountFailed(f"mount.nfs4: access denied by server while mounting 127.0.0.1:/ ({error})") from error
        found: Mapping[str, Any] = answer["AccessPoints"][0]
        if found["FileSystemId"] != file_system:
            raise MountFailed(
                "mount.nfs4: access denied by server while mounting 127.0.0.1:/ "
                f"({access_point} is an access point of {found['FileSystemId']}, not of {file_system})"
            )
        return found

    def _file_system_deleted(self, call: Call) -> None:
        removal = asyncio.create_task(self._remove(PurePosixPath(call.params["FileSystemId"]).name))
        self._removals.add(removal)
        removal.add_done_callback(self._removals.discard)

    async def _remove(self, file_system: str) -> None:
        try:
            await self._shelves.remove(file_system)
        except Exception as error:
            self._ctx.log.warning("file system %s was deleted, but its files are left: %s", file_system, error)


class Shelves(Protocol):
    """Where the files of file systems are kept. Directories are absolute and free of `..`."""

    async def existing(self, file_system: str, directory: PurePosixPath) -> Path | NamedVolume:
        """A directory that must be there. Raises `MountFailed`."""
        ...

    async def made(
        self, file_system: str, directory: PurePosixPath, info: Mapping[str, Any] | None, owner: Owner | None
    ) -> Path | NamedVolume:
        """A directory that is made as `info` (an access point's CreationInfo) says, if it is not there; `owner` is
        whom the access point makes of its users. Raises `MountFailed`."""
        ...

    async def remove(self, file_system: str) -> None:
        """The file system was deleted: remove its files."""
        ...


@runtime_checkable
class Bounded(Protocol):
    """`Shelves` whose file systems can be filled up, without harm to anything else."""

    async def fill(self, file_system: str) -> None:
        """Take all that is free in it. Raises `OSError`."""
        ...

    async def empty(self, file_system: str) -> None:
        """Give back what `fill` took; harmless when that was nothing. Raises `OSError`."""
        ...


class Folders:
    """`Shelves` of this machine's folders."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def existing(self, file_system: str, directory: PurePosixPath) -> Path:
        folder = self._below(file_system, directory)
        if not folder.is_dir():
            raise missing(directory)
        return folder

    async def made(
        self, file_system: str, directory: PurePosixPath, info: Mapping[str, Any] | None, owner: Owner | None
    ) -> Path:
        folder = self._below(file_system, directory)
        if not folder.exists():
            _create(folder, creation(info))
        return folder

    async def remove(self, file_system: str) -> None:
        await asyncio.to_thread(shutil.rmtree, self._root / file_system, ignore_errors=True)

    def _below(self, file_system: str, directory: PurePosixPath) -> Path:
        """The folder of this directory; never one outside the file system, also not by way of a symbolic link."""
        top = self._root / PurePosixPath(file_system).name
        top.mkdir(parents=True, exist_ok=True)
        folder = top.joinpath(*directory.parts[1:])
        if not folder.resolve().is_relative_to(top.resolve()):
            raise leads_out(file_system, directory)
        return folder


def _inside(file_system: str, directory: str) -> PurePosixPath:
    inside = PurePosixPath("/", directory)
    if ".." in inside.parts:
        raise MountFailed(f"mount.nfs4: {directory} is no directory of {file_system}: it contains '..'")
    return inside


def missing(directory: PurePosixPath) -> MountFailed:
    """There is no such directory in the file system."""
    return MountFailed(
        f"mount.nfs4: mounting 127.0.0.1:{directory} failed, reason given by server: No such file or directory"
    )


def leads_out(file_system: str, directory: PurePosixPath) -> MountFailed:
    """A symbolic link in the file system would take the mount somewhere else."""
    return MountFailed(f"mount.nfs4: {directory} leads out of {file_system}")


@dataclass(frozen=True)
class Creation:
    """How an access point's root directory is made."""

    owner: Owner
    mode: int


def creation(info: Mapping[str, Any] | None) -> Creation:
    """From an access point's CreationInfo. Without one EFS makes no directory: raises `MountFailed`."""
    if info is None:
        raise MountFailed(
            "mount.nfs4: access denied by server while mounting 127.0.0.1:/ (the root directory is missing)"
        )
    return Creation(Owner(int(info["OwnerUid"]), int(info["OwnerGid"])), int(info["Permissions"], 8))


def _create(folder: Path, how: Creation) -> None:
    folder.mkdir(parents=True)
    folder.chmod(how.mode)
    if os.geteuid() == 0:  # only root may give files away; for everybody else the files stay their own
        os.chown(folder, how.owner.uid, how.owner.gid)
