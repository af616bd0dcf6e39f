"""File systems as volumes of the engine.

    file system             a volume; with a limited size, one in memory
    its directory /a/b      a volume that binds that directory, which is all a task can see

The engine creates everything, through a container that never runs. No file of a task lies in a folder of this machine,
so neither this machine's user nor the engine's access to its folders matters.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import io
import json
import struct
import tarfile
from collections import defaultdict
from collections.abc import Awaitable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from aiodocker import DockerError
from aiodocker.containers import DockerContainer

from ...efs.file_store import (
    CreationInfo,
    MountFailed,
    NamedVolume,
    Owner,
    creation_info,
    leads_outside,
    no_such_directory,
)
from .engine_run import ENGINE_ERRORS, EngineRun, engine_errors_as, why

_TOP = PurePosixPath("/fs")
_TASK = "com.amazonaws.ecs.task-arn"
_FILLER = ".filled-by-a-fault"
_GO_DIRECTORY, _GO_SYMLINK = 1 << 31, 1 << 27


class Volumes:
    """A `FileStore` in volumes of the container engine."""

    def __init__(self, host: EngineRun, mib: int = 0) -> None:
        """`mib` is the size of a file system, in the engine's memory; 0 for the size of the engine's disk."""
        self._host = host
        self._mib = mib
        self._keepers: dict[str, DockerContainer] = {}
        """File system → the container through which the engine accesses it."""
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._volumes: dict[tuple[str, PurePosixPath], str] = {}
        """Volumes of directories."""

    async def find_directory(self, file_system: str, directory: PurePosixPath) -> NamedVolume:
        async with self._locks[file_system]:
            with _mount_errors():
                if not await self._is_directory(file_system, directory):
                    raise no_such_directory(directory)
                return NamedVolume(await self._volume(file_system, directory))

    async def ensure_directory(
        self, file_system: str, directory: PurePosixPath, info: Mapping[str, Any] | None, owner: Owner | None
    ) -> NamedVolume:
        async with self._locks[file_system]:
            with _mount_errors():
                if not await self._is_directory(file_system, directory):
                    how = creation_info(info)
                    await self._make(file_system, directory, how, owner)
                    if not await self._is_directory(file_system, directory):
                        raise leads_outside(file_system, directory)
                    volume = await self._volume(file_system, directory, how.owner)
                else:
                    volume = await self._volume(file_system, directory)
                return NamedVolume(volume, None if owner is None else owner.gid)

    async def remove(self, file_system: str) -> None:
        """Raises `OSError`, naming the users of a file system in use; nothing is removed then, and a retry is fine."""
        async with self._locks[file_system]:
            if file_system not in self._keepers:
                return
            own = [key for key in self._volumes if key[0] == file_system]
            volumes = [*(self._volumes[key] for key in own), self._whole(file_system)]
            with engine_errors_as(OSError):
                if users := await self._users(volumes, but=self._keepers[file_system]):
                    raise OSError(
                        f"it is mounted by {', '.join(users)}. next: nothing, the end of the run removes it; to free "
                        "the space earlier, stop that and delete the file system again"
                    )
                for key in own:
                    await _unless_gone(self._host.remove_volume(self._volumes[key]))
                    del self._volumes[key]
                await _unless_gone(self._keepers[file_system].delete(force=True))
                await _unless_gone(self._host.remove_volume(volumes[-1]))
            del self._keepers[file_system]

    async def _users(self, volumes: Sequence[str], *, but: DockerContainer) -> list[str]:
        """The names of the containers that mount any of these volumes, with their tasks."""
        filters = json.dumps({"volume": list(volumes)})
        found = await self._host.client.containers.list(all=True, filters=filters)
        return sorted([_named(await each.show()) for each in found if each.id != but.id])

    async def fill(self, file_system: str) -> None:
        """Fill a file system. Raises `OSError` when its size is not limited, or it was never mounted."""
        if not self._mib:
            raise OSError("file systems here are as large as the engine's disk; emulated.volume_mib gives them an end")
        async with self._locks[file_system]:
            if file_system not in self._keepers:
                raise OSError(f"{file_system} has not been mounted yet")
            try:
                await self._write_filler(file_system, self._mib << 20)
            except ENGINE_ERRORS as error:
                if "no space left on device" not in str(error):
                    raise OSError(why(error)) from error

    async def empty(self, file_system: str) -> None:
        """Undo `fill`; idempotent. Raises `OSError`."""
        async with self._locks[file_system]:
            if file_system in self._keepers:
                with engine_errors_as(OSError):
                    await self._write_filler(file_system, 0)

    async def _write_filler(self, file_system: str, size: int) -> None:
        """Write the filler file; size 0 replaces removal, which a stopped container does not offer."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            entry = tarfile.TarInfo(_FILLER)
            entry.size, entry.mode = size, 0o600
            tar.addfile(entry, _Zeros())
        await self._host.engine.unpack(self._keepers[file_system].id, str(_TOP), buffer.getvalue())

    def _whole(self, file_system: str) -> str:
        return f"{self._host.run}-{file_system}"

    async def _volume(self, file_system: str, directory: PurePosixPath, owner: Owner | None = None) -> str:
        """The volume of this directory. `owner` is the directory's owner, if known."""
        if directory == PurePosixPath("/"):
            return self._whole(file_system)
        key = file_system, directory
        if key not in self._volumes:
            whole = await self._host.client.volumes.get(self._whole(file_system))
            place = str((await whole.show())["Mountpoint"]) + str(directory)
            name = f"{key[0]}-{hashlib.sha256(str(directory).encode()).hexdigest()[:8]}"
            options = {"type": "none", "o": "bind", "device": place}
            if self._host.engine.podman and owner is not None:  # else podman gives it to the first container's user
                options["o"] += f",uid={owner.uid},gid={owner.gid}"
            self._volumes[key] = await self._host.create_volume(f"{self._host.run}-{name}", options)
        return self._volumes[key]

    async def _keeper(self, file_system: str) -> DockerContainer:
        if file_system not in self._keepers:
            await self._host.create_volume(self._whole(file_system), self._options())
            config: dict[str, Any] = {
                "Image": await self._host.pause_image(),
                "Labels": self._host.labels,
                "HostConfig": {
                    "NetworkMode": "none",
                    "Mounts": [{"Type": "volume", "Source": self._whole(file_system), "Target": str(_TOP)}],
                },
            }
            name = f"{self._host.run}-{file_system}"
            keeper = await self._host.client.containers.create(config, name=name)
            if self._mib:
                try:
                    await keeper.start()  # a volume in memory lives as long as it is mounted
                except BaseException:
                    with contextlib.suppress(*ENGINE_ERRORS):
                        await keeper.delete(force=True)  # the next attempt needs its name
                    raise
            self._keepers[file_system] = keeper
        return self._keepers[file_system]

    def _options(self) -> dict[str, str]:
        return {"type": "tmpfs", "device": "tmpfs", "o": f"size={self._mib}m,mode=0755"} if self._mib else {}

    async def _is_directory(self, file_system: str, directory: PurePosixPath) -> bool:
        """Checks each step of the path: a symbolic link made by a task could lead out of the volume."""
        keeper = await self._keeper(file_system)
        for step in reversed((directory, *directory.parents[:-1])):
            mode = await self._mode(keeper, _TOP / step.relative_to("/"))
            if mode is None:
                return False
            if mode & _GO_SYMLINK:
                raise leads_outside(file_system, directory)
            if not mode & _GO_DIRECTORY:
                raise MountFailed(f"mount.nfs4: mounting 127.0.0.1:{directory} failed: Not a directory")
        return True

    async def _mode(self, keeper: DockerContainer, path: PurePosixPath) -> int | None:
        """A Go `FileMode`; None for a missing path."""
        try:
            headers = await self._host.engine.headers(f"containers/{keeper.id}/archive", {"path": str(path)})
        except DockerError as error:
            if error.status == 404:
                return None
            raise
        encoded = {name.lower(): value for name, value in headers.items()}["x-docker-container-path-stat"]
        stat = json.loads(base64.b64decode(encoded))
        # podman follows links: the mode is the target's.
        leads_away = stat.get("linkTarget") and PurePosixPath(stat["linkTarget"]) != path
        return int(stat["mode"]) | (_GO_SYMLINK if leads_away else 0)

    async def _make(self, file_system: str, directory: PurePosixPath, how: CreationInfo, owner: Owner | None) -> None:
        keeper = await self._keeper(file_system)
        missing_steps = []
        for step in (directory, *directory.parents[:-1]):
            if await self._mode(keeper, _TOP / step.relative_to("/")) is not None:
                break
            missing_steps.append(step)
        top = (_TOP / missing_steps[-1].relative_to("/")).parent
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for step in reversed(missing_steps):
                entry = tarfile.TarInfo(str((_TOP / step.relative_to("/")).relative_to(top)))
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                if step == directory:
                    entry.mode, entry.uid, entry.gid = how.mode, how.owner.uid, how.owner.gid
                    if owner is not None:
                        entry.mode |= 0o070  # the mask of the access list, as the mode shows it
                        entry.pax_headers = shared_by(owner, how.mode)
                tar.addfile(entry)
        try:
            await self._host.engine.unpack(keeper.id, str(top), buffer.getvalue())
        except DockerError as error:
            if "file exists" in error.message:  # a dangling link, which podman reports as missing
                raise leads_outside(file_system, directory) from error
            raise


class _Zeros(io.RawIOBase):
    """An endless file of zeros."""

    def read(self, size: int = -1) -> bytes:
        return bytes(size)


def shared_by(owner: Owner, mode: int) -> dict[str, str]:
    """tar headers of access lists that give the access point's user and group full access to a directory and everything
    created in it. EFS maps every user of an access point to one user; a volume cannot, so its users share a group."""
    own, group, other = mode >> 6 & 7, mode >> 3 & 7, mode & 7
    # Tags and order as in the kernel: owner, named user, owning group, named group, mask, others.
    entries = [(1, own), (2, 7, owner.uid), (4, group), (8, 7, owner.gid), (16, 7), (32, other)]
    packed = struct.pack("<I", 2) + b"".join(
        struct.pack("<HHI", tag, bits, *(who or [0xFFFFFFFF])) for tag, bits, *who in entries
    )
    text = packed.decode("utf-8", "surrogateescape")
    return {f"SCHILY.xattr.system.posix_acl_{kind}": text for kind in ("access", "default")}


def _named(shown: Mapping[str, Any]) -> str:
    labels = shown["Config"].get("Labels") or {}
    name = "container " + str(shown["Name"]).lstrip("/")
    return f"{name} of task {labels[_TASK]}" if _TASK in labels else name


async def _unless_gone(removal: Awaitable[Any]) -> None:
    try:
        await removal
    except DockerError as error:
        if error.status != 404:
            raise


def _mount_errors() -> contextlib.AbstractContextManager[None]:
    return engine_errors_as(MountFailed, "the container engine cannot make the volume: ")
