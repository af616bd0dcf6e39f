"""EFS as tasks see it: folders that outlive them.

A file system is a folder below the run's work directory; an access point is the folder below that which its root
directory names. File systems and access points themselves are declared in the base.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from emulation.controller import Call, Context, Handler, Operation, Watcher
from emulation.errors import AwsError


class MountFailed(Exception):
    """The volume cannot be mounted; the text is what mount.efs would say."""


@dataclass(frozen=True)
class Owner:
    uid: int
    gid: int


@dataclass(frozen=True)
class Volume:
    """A mounted file system."""

    path: Path
    posix_user: Owner | None = None
    """Whom an access point makes of everybody who uses it. A local process stays who it is; a container need not."""


class Storage:
    """Maps (file system, access point, root directory) to a folder of this machine."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._root = ctx.workdir / "efs"
        self._removals: set[asyncio.Task[None]] = set()

    def handlers(self) -> Mapping[Operation, Handler]:
        return {}

    def watchers(self) -> Mapping[Operation, Watcher]:
        return {("efs", "DeleteFileSystem"): self._file_system_deleted}

    async def start(self) -> None:
        """Nothing to begin: folders are made when they are first mounted."""

    async def stop(self) -> None:
        await asyncio.gather(*self._removals, return_exceptions=True)

    async def mount(self, file_system: str, access_point: str | None = None, root_directory: str = "/") -> Volume:
        """The folder a task gets. An access point's root directory is made with its creation info's owner and
        permissions if it does not exist. Raises `MountFailed` where mount.efs would fail."""
        await self._check_reachable(file_system)
        if access_point is None:
            return Volume(self._existing(file_system, root_directory))
        declared = await self._access_point(file_system, access_point)
        root = declared.get("RootDirectory", {})
        folder = self._below(file_system, root.get("Path", "/"))
        if not folder.exists():
            _create(folder, root.get("CreationInfo"))
        user = declared.get("PosixUser")
        return Volume(folder, Owner(int(user["Uid"]), int(user["Gid"])) if user else None)

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

    def _existing(self, file_system: str, directory: str) -> Path:
        folder = self._below(file_system, directory)
        if not folder.is_dir():
            raise MountFailed(
                f"mount.nfs4: mounting 127.0.0.1:{directory} failed, reason given by server: No such file or directory"
            )
        return folder

    def _below(self, file_system: str, directory: str) -> Path:
        """The folder of this directory; never one outside the file system, also not by way of a symbolic link."""
        top = self._folder(file_system)
        top.mkdir(parents=True, exist_ok=True)
        inside = PurePosixPath(directory)
        if ".." in inside.parts:
            raise MountFailed(f"mount.nfs4: {directory} is no directory of {file_system}: it contains '..'")
        folder = top.joinpath(*(part for part in inside.parts if part != "/"))
        if not folder.resolve().is_relative_to(top.resolve()):
            raise MountFailed(f"mount.nfs4: {directory} leads out of {file_system}")
        return folder

    def _folder(self, file_system: str) -> Path:
        return self._root / PurePosixPath(file_system).name

    def _file_system_deleted(self, call: Call) -> None:
        folder = self._folder(call.params["FileSystemId"])
        removal = asyncio.create_task(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))
        self._removals.add(removal)
        removal.add_done_callback(self._removals.discard)


def _create(folder: Path, info: Mapping[str, Any] | None) -> None:
    """The access point's root, as its CreationInfo says. Without one EFS makes no directory, and the mount fails."""
    if info is None:
        raise MountFailed(
            "mount.nfs4: access denied by server while mounting 127.0.0.1:/ (the root directory is missing)"
        )
    folder.mkdir(parents=True)
    folder.chmod(int(info["Permissions"], 8))
    if os.geteuid() == 0:  # only root may give files away; for everybody else the files stay their own
        os.chown(folder, int(info["OwnerUid"]), int(info["OwnerGid"]))
