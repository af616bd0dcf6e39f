"""Initializes the resources that a task needs before its containers start: volumes, log streams, secrets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ...core.controller import Context
from ...core.errors import AwsError
from ..efs import MountFailed, NamedVolume, Storage
from .logs import LogStream, LogTarget
from .model import Task
from .secrets import SecretsMissing, fetch_secrets


class FailedToStart(Exception):
    """The task cannot start; the text becomes its stopped reason."""


async def mount_volumes(storage: Storage, task: Task, folder: Path) -> dict[str, Path | NamedVolume]:
    """Volume name → its source; volumes without a file system are folders below `folder`. Raises `FailedToStart`."""
    folders: dict[str, Path | NamedVolume] = {}
    for volume in task.definition.raw.get("volumes", ()):
        efs = volume.get("efsVolumeConfiguration")
        if efs is None:
            scratch = folder / volume["name"]
            scratch.mkdir(parents=True)
            folders[volume["name"]] = scratch
        else:
            access_point = efs.get("authorizationConfig", {}).get("accessPointId")
            try:
                mounted = await storage.mount(efs["fileSystemId"], access_point, efs.get("rootDirectory") or "/")
            except MountFailed as error:
                raise FailedToStart(
                    "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: "
                    f"stderr: {error} : unsuccessful EFS utils command execution; code: 1"
                ) from error
            folders[volume["name"]] = mounted.source
    return folders


async def open_logs(ctx: Context, task: Task) -> dict[str, LogStream]:
    """The log streams of the containers with the awslogs driver. Raises `FailedToStart`."""
    streams = {}
    for container in task.containers:
        target = LogTarget.of(container.definition, task.id)
        if target is None:
            continue
        streams[container.name] = LogStream(ctx, target)
        try:
            await streams[container.name].open()
        except AwsError as error:
            raise FailedToStart(
                "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: "
                f"failed to create Cloudwatch log stream: {error} (log group {target.group}) : exit status 1"
            ) from error
    return streams


async def container_secrets(ctx: Context, task: Task) -> Mapping[str, Mapping[str, str]]:
    """Container name → the environment variables of its `secrets`. Raises `FailedToStart`."""
    try:
        return {
            container.name: await fetch_secrets(ctx.aws, container.definition.raw.get("secrets", ()))
            for container in task.containers
        }
    except SecretsMissing as error:
        raise FailedToStart(f"ResourceInitializationError: {error}") from error
