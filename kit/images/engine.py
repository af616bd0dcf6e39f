"""The container engine, found where the `docker` command finds it, and its errors in words that help.

DOCKER_HOST goes first, then the context in use, then the sockets of Docker, rootless Docker and podman.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import requests
from docker.context import ContextAPI
from docker.errors import DockerException

from kit.errors import InfraError, UsageError

BUILD_TIMEOUT = 1200
"""Wall seconds without a word from the engine."""


@dataclass(frozen=True)
class Engine:
    """An engine that answers."""

    client: Any
    """A docker-py client."""
    address: str
    architecture: str
    """As images name it: amd64, arm64, …"""
    id: str
    """The same each time it is asked."""

    def image(self, name: str) -> Any | None:
        """The image of this name, None when it is not there."""
        try:
            return self.client.images.get(name)
        except docker.errors.ImageNotFound:
            return None


@contextmanager
def engine(environ: Mapping[str, str] = os.environ) -> Iterator[Engine]:
    """The engine, for as long as the block runs. Raises `InfraError` when none can be used."""
    address = _address(environ)
    client = None
    try:
        try:
            client = _client(address, environ)
            about = client.version()
            identity = _identity(about, client.info())
        except (DockerException, requests.RequestException, OSError) as error:
            raise _unusable(error, address) from error
        with told(address):
            yield Engine(client, address, str(about.get("Arch", "")), identity)
    finally:
        if client is not None:
            client.close()


def _identity(version: Mapping[str, Any], info: Mapping[str, Any]) -> str:
    """podman tells another ID with each answer; where it keeps its images stays."""
    if any("Podman" in part.get("Name", "") for part in version.get("Components") or ()):
        return f"podman {info.get('Name', '')} {info.get('DockerRootDir', '')}"
    return str(info.get("ID", ""))


@contextmanager
def told(address: str) -> Iterator[None]:
    """Turns what the engine refuses into the kit's errors."""
    try:
        yield
    except (DockerException, requests.RequestException) as error:
        raise failed(str(getattr(error, "explanation", None) or error), address) from error


def failed(message: str, address: str = "", *, doing: str = "the container engine failed") -> InfraError:
    """The error for what an engine said."""
    where = address
    if "no space left on device" in message:
        return InfraError(
            f"{doing}: its disk is full ({message.strip()})",
            where=where,
            next="docker system df shows what takes the space; make room, and try again",
        )
    if "exec format error" in message:
        return InfraError(
            f"{doing}: the base image is of another CPU architecture ({message.strip()})",
            where=where,
            next="take a base for this machine: kit images build --base IMAGE",
        )
    return InfraError(f"{doing}: {message.strip()}", where=where)


def sockets(environ: Mapping[str, str] = os.environ) -> list[Path]:
    """Where engines listen that neither DOCKER_HOST nor a context names."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    own = Path(environ.get("XDG_RUNTIME_DIR") or f"/run/user/{user}")
    return [
        Path("/var/run/docker.sock"),
        own / "docker.sock",
        Path.home() / ".docker/run/docker.sock",
        own / "podman/podman.sock",
        Path("/run/podman/podman.sock"),
    ]


def _address(environ: Mapping[str, str]) -> str:
    if environ.get("DOCKER_HOST"):
        return environ["DOCKER_HOST"]
    named = environ.get("DOCKER_CONTEXT")
    try:
        context = ContextAPI.get_context(named) if named else ContextAPI.get_current_context()
    except (DockerException, OSError, ValueError) as error:
        raise UsageError(f"the Docker context cannot be read: {error}", next="docker context ls") from None
    if named and context is None:
        raise UsageError(f"there is no Docker context {named!r}", where="DOCKER_CONTEXT", next="docker context ls")
    if context is not None and context.name != "default":
        return str(context.Host)
    if os.name == "nt":
        return "npipe:////./pipe/docker_engine"
    found = next((path for path in sockets(environ) if path.is_socket()), sockets(environ)[0])
    return f"unix://{found}"


def _client(address: str, environ: Mapping[str, str]) -> Any:
    if environ.get("DOCKER_HOST") or environ.get("DOCKER_CONTEXT"):
        return docker.from_env(environment=dict(environ), timeout=BUILD_TIMEOUT)
    context = ContextAPI.get_current_context()
    tls = context.TLSConfig if context is not None and context.name != "default" else None
    return docker.DockerClient(base_url=address, tls=tls or False, timeout=BUILD_TIMEOUT)


def _unusable(error: BaseException, address: str) -> InfraError:
    said = str(error)
    if "Permission denied" in said or "PermissionError" in said:
        return InfraError(
            f"no permission on the container engine's socket {address}",
            where=address,
            next="add yourself to the group that owns it (sudo usermod -aG docker $USER, then log in again), "
            "or use rootless Docker or podman",
        )
    why = "nothing listens there" if "FileNotFound" in said or "refused" in said else said
    return InfraError(
        f"no container engine answers at {address}: {why}",
        where="DOCKER_HOST, the Docker context in use, or one of " + ", ".join(str(path) for path in sockets()),
        next="start Docker or podman, or point DOCKER_HOST to one",
    )
