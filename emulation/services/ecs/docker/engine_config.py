"""Builds the engine API's container configurations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ...efs import NamedVolume
from ..runtime import ContainerSpec, Mount, Sandbox

MIB = 1024 * 1024
HOST_NAME = "host.docker.internal"
"""The name of this machine inside containers."""


def container_config(
    sandbox: Sandbox,
    container: ContainerSpec,
    *,
    run: str,
    image: str,
    cpus: float | None,
    environment: Mapping[str, str],
    labels: Mapping[str, str],
    network: Mapping[str, Any],
) -> dict[str, Any]:
    """The body of /containers/create. `cpus` is None for no limit; `network` is from `network_config` or
    `shared_network`."""
    task = sandbox.task
    memory = int(min(container.memory_mib or task.memory_mib, task.memory_mib) * MIB)
    host = {
        **network.get("HostConfig", {}),
        "Mounts": [_mount(mount, task_volume(mount, sandbox, run)) for mount in container.mounts],
        "Memory": memory,
        "MemorySwap": memory,  # no swap, as on Fargate
        **({"NanoCpus": int(cpus * 1e9)} if cpus is not None else {}),
        "Init": container.init_process,
        "ReadonlyRootfs": container.read_only,
        # Output is read from the attached stream; a log file would only fill the disk.
        "LogConfig": {"Type": "none"},
        # Under contention CPU time is shared in proportion to the sizes.
        "CpuShares": max(2, container.cpu_units or int(task.vcpus * 1024)),
        **({"GroupAdd": _groups(container)} if _groups(container) else {}),
    }
    return {
        "Image": image,
        "Env": [f"{name}={value}" for name, value in environment.items()],
        "Labels": {**task.labels, **labels},
        # ECS runs only the task definition's health check.
        "Healthcheck": {"Test": ["NONE"]},
        **({"ExposedPorts": network["ExposedPorts"]} if "ExposedPorts" in network else {}),
        **({"Entrypoint": list(container.entry_point)} if container.entry_point else {}),
        **({"Cmd": list(container.command)} if container.command else {}),
        **({"User": container.user} if container.user else {}),
        **({"WorkingDir": container.working_directory} if container.working_directory else {}),
        "HostConfig": host,
    }


def network_config(sandbox: Sandbox, network: str, this_machine: str) -> dict[str, Any]:
    """A new network namespace with ports published on loopback."""
    return {
        "ExposedPorts": {f"{port}/tcp": {} for port in sandbox.ports},
        "HostConfig": {
            "NetworkMode": network,
            "ExtraHosts": [f"{HOST_NAME}:{this_machine}"],
            "PortBindings": {
                f"{port}/tcp": [{"HostIp": sandbox.address, "HostPort": str(real)}]
                for port, real in sandbox.ports.items()
            },
        },
    }


def shared_network(holder: str) -> dict[str, Any]:
    """The network namespace of another container."""
    return {"HostConfig": {"NetworkMode": f"container:{holder}"}}


def container_name(*words: str) -> str:
    """A valid container name of these words."""
    return re.sub(r"[^a-zA-Z0-9_.-]", "-", "-".join(words))


def task_volumes(sandbox: Sandbox, container: ContainerSpec, run: str) -> set[str]:
    """The volumes it mounts that live as long as its task."""
    names = {task_volume(mount, sandbox, run) for mount in container.mounts}
    return {name for name in names if name is not None}


def task_volume(mount: Mount, sandbox: Sandbox, run: str) -> str | None:
    """The volume that replaces a folder below the task's folder; None for other mounts."""
    own = sandbox.task.folder
    if isinstance(mount.source, NamedVolume) or not mount.source.is_relative_to(own):
        return None
    return container_name(run, sandbox.task.id, *mount.source.relative_to(own).parts)


def _mount(mount: Mount, own: str | None) -> dict[str, Any]:
    common = {"Target": mount.target, "ReadOnly": mount.read_only}
    if isinstance(mount.source, NamedVolume):
        # NoCopy: a file system hides the image's files at the mount point.
        return {"Type": "volume", "Source": mount.source.name, "VolumeOptions": {"NoCopy": True}, **common}
    if own is not None:
        return {"Type": "volume", "Source": own, **common}
    return {"Type": "bind", "Source": str(mount.source), **common}


def _groups(container: ContainerSpec) -> list[str]:
    sources: Iterable[object] = (mount.source for mount in container.mounts)
    return sorted({str(s.group) for s in sources if isinstance(s, NamedVolume) and s.group is not None})
