"""A container as the engine's API wants it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ...efs.controller import NamedVolume
from ..runtime import ContainerSpec, Mount, Sandbox

MIB = 1024 * 1024
INSIDE = "host.docker.internal"
"""This machine, as a container calls it."""


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
    """The body of /containers/create. `cpus` is its limit, None for all there are; `network` is `network_config`'s or
    `shared_network`'s."""
    task = sandbox.task
    memory = int(min(container.memory_mib or task.memory_mib, task.memory_mib) * MIB)
    host = {
        **network.get("HostConfig", {}),
        "Mounts": [_mount(mount, own_volume(mount, sandbox, run)) for mount in container.mounts],
        "Memory": memory,
        "MemorySwap": memory,  # no swap, as on Fargate
        **({"NanoCpus": int(cpus * 1e9)} if cpus is not None else {}),
        "Init": container.init_process,
        "ReadonlyRootfs": container.read_only,
        # Its output is read as it comes; a second copy in a file nobody reads would only fill the disk.
        "LogConfig": {"Type": "none"},
        # What is scarce is shared as the sizes say.
        "CpuShares": max(2, container.cpu_units or int(task.vcpus * 1024)),
        **({"GroupAdd": _groups(container)} if _groups(container) else {}),
    }
    return {
        "Image": image,
        "Env": [f"{name}={value}" for name, value in environment.items()],
        "Labels": {**task.labels, **labels},
        # ECS runs the task definition's health check and no other.
        "Healthcheck": {"Test": ["NONE"]},
        **({"ExposedPorts": network["ExposedPorts"]} if "ExposedPorts" in network else {}),
        **({"Entrypoint": list(container.entry_point)} if container.entry_point else {}),
        **({"Cmd": list(container.command)} if container.command else {}),
        **({"User": container.user} if container.user else {}),
        **({"WorkingDir": container.working_directory} if container.working_directory else {}),
        "HostConfig": host,
    }


def network_config(sandbox: Sandbox, network: str, this_machine: str) -> dict[str, Any]:
    """A network namespace of its own, its ports published on loopback."""
    return {
        "ExposedPorts": {f"{port}/tcp": {} for port in sandbox.ports},
        "HostConfig": {
            "NetworkMode": network,
            "ExtraHosts": [f"{INSIDE}:{this_machine}"],
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
    """A name the engine takes."""
    return re.sub(r"[^a-zA-Z0-9_.-]", "-", "-".join(words))


def own_volumes(sandbox: Sandbox, container: ContainerSpec, run: str) -> set[str]:
    """The volumes it mounts that go with its task."""
    names = {own_volume(mount, sandbox, run) for mount in container.mounts}
    return {name for name in names if name is not None}


def own_volume(mount: Mount, sandbox: Sandbox, run: str) -> str | None:
    """The volume in place of a folder below the task's own, which lives as long as the task; None for any other."""
    own = sandbox.task.folder
    if isinstance(mount.source, NamedVolume) or not mount.source.is_relative_to(own):
        return None
    return container_name(run, sandbox.task.id, *mount.source.relative_to(own).parts)


def _mount(mount: Mount, own: str | None) -> dict[str, Any]:
    common = {"Target": mount.target, "ReadOnly": mount.read_only}
    if isinstance(mount.source, NamedVolume):
        # NoCopy: a file system hides what the image has at that place.
        return {"Type": "volume", "Source": mount.source.name, "VolumeOptions": {"NoCopy": True}, **common}
    if own is not None:
        return {"Type": "volume", "Source": own, **common}
    return {"Type": "bind", "Source": str(mount.source), **common}


def _groups(container: ContainerSpec) -> list[str]:
    sources: Iterable[object] = (mount.source for mount in container.mounts)
    return sorted({str(s.group) for s in sources if isinstance(s, NamedVolume) and s.group is not None})
