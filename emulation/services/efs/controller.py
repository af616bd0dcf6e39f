"""Mounts EFS file systems as folders or container volumes that outlive the tasks.

An access point shows the part of its file system below its root directory. The state store keeps file systems and
access points as resources.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from ...core.background_tasks import BackgroundTasks
from ...core.controller import Call, Context, Operation, Watcher
from ...core.errors import AwsError
from ..controller_base import ControllerBase
from .file_store import FileStore, FillableFileStore, LocalFileStore, MountFailed, Owner, Volume


class Storage(ControllerBase):
    """Maps (file system, access point, root directory) to what a task mounts."""

    def __init__(self, ctx: Context, store: FileStore | None = None) -> None:
        """`store` keeps the files, by default in folders below the run's work directory."""
        self._ctx = ctx
        self._store = store or LocalFileStore(ctx.workdir / "efs")
        self._removals = BackgroundTasks(ctx.log)

    def watchers(self) -> Mapping[Operation, Watcher]:
        return {("efs", "DeleteFileSystem"): self._file_system_deleted}

    async def stop(self) -> None:
        await self._removals.settle()

    @property
    def fillable(self) -> FillableFileStore | None:
        """The store, if its file systems can be filled up; None where they are folders on this machine's disk."""
        return self._store if isinstance(self._store, FillableFileStore) else None

    async def mount(self, file_system: str, access_point: str | None = None, root_directory: str = "/") -> Volume:
        """Mount a directory. A missing root directory of an access point is created with the owner and permissions of
        its creation info. Raises `MountFailed` where mount.efs would fail."""
        await self._check_reachable(file_system)
        if access_point is None:
            return Volume(await self._store.find_directory(file_system, _inside(file_system, root_directory)))
        described = await self._access_point(file_system, access_point)
        root = described.get("RootDirectory", {})
        user = described.get("PosixUser")
        owner = Owner(int(user["Uid"]), int(user["Gid"])) if user else None
        directory = _inside(file_system, root.get("Path", "/"))
        return Volume(
            await self._store.ensure_directory(file_system, directory, root.get("CreationInfo"), owner), owner
        )

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
        file_system = PurePosixPath(call.params["FileSystemId"]).name
        self._removals.run(f"removal of {file_system}", self._remove(file_system))

    async def _remove(self, file_system: str) -> None:
        try:
            await self._store.remove(file_system)
        except Exception as error:
            self._ctx.log.warning("file system %s was deleted, but its files are left: %s", file_system, error)


def _inside(file_system: str, directory: str) -> PurePosixPath:
    inside = PurePosixPath("/", directory)
    if ".." in inside.parts:
        raise MountFailed(f"mount.nfs4: {directory} is no directory of {file_system}: it contains '..'")
    return inside
