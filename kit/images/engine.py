"""The container engine as the kit uses it, with errors that say what to do."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..core.errors import InfraError
from ..core.extras import require
from .address import Address, address, sockets

require("docker", "a container engine")

import docker  # noqa: E402 - of an extra: the line above says which
import requests  # noqa: E402
from docker.errors import DockerException  # noqa: E402

BUILD_TIMEOUT = 1200
"""Wall seconds without output from the engine."""


@dataclass(frozen=True)
class Engine:
    """An engine that answers."""

    client: Any
    """A docker-py client."""
    address: str
    architecture: str
    """As images name it: amd64, arm64, …"""
    id: str
    """The same in every answer."""

    def image(self, name: str) -> Any | None:
        """The image of this name, or None."""
        try:
            return self.client.images.get(name)
        except docker.errors.ImageNotFound:
            return None


@contextmanager
def engine(environ: Mapping[str, str] = os.environ) -> Iterator[Engine]:
    """The engine that these variables lead to, while the block runs. Raises `InfraError` when it cannot be used, and
    `UsageError` for a missing Docker context."""
    at = address(environ)
    client = None
    try:
        try:
            client = _client(at)
            about = client.version()
            identity = _identity(about, client.info())
        except (DockerException, requests.RequestException, OSError) as error:
            raise _unusable(error, at.url) from error
        with engine_errors(at.url):
            yield Engine(client, at.url, str(about.get("Arch", "")), identity)
    finally:
        if client is not None:
            client.close()


def _identity(version: Mapping[str, Any], info: Mapping[str, Any]) -> str:
    """podman sends a new ID with each answer; the folder of its images stays the same."""
    if any("Podman" in part.get("Name", "") for part in version.get("Components") or ()):
        return f"podman {info.get('Name', '')} {info.get('DockerRootDir', '')}"
    return str(info.get("ID", ""))


@contextmanager
def engine_errors(address: str) -> Iterator[None]:
    """Turns errors of the engine into the kit's."""
    try:
        yield
    except (DockerException, requests.RequestException) as error:
        raise engine_error(str(getattr(error, "explanation", None) or error), address) from error


def engine_error(message: str, address: str = "", *, doing: str = "the container engine failed") -> InfraError:
    """The kit's error for a message of the engine."""
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


def _client(at: Address) -> Any:
    if at.variables:
        return docker.from_env(environment=dict(at.variables), timeout=BUILD_TIMEOUT)
    return docker.DockerClient(base_url=at.url, timeout=BUILD_TIMEOUT)


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
