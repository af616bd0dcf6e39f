"""Pulls images with the credentials of `docker login`, logs progress, and explains failures."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
from aiodocker import Docker, DockerError

from ..core.progress_lines import PROGRESS

_EVERY = 5.0
"""Wall seconds between two progress messages."""
_MEGABYTE = 1e6


class PullFailed(Exception):
    """An image cannot be pulled: the reason of the engine or registry, and a remedy."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason}: {remedy}")
        self.reason = reason
        self.remedy = remedy


async def pull(client: Docker, image: str) -> None:
    """Pull an image. Raises `PullFailed`."""
    reference = canonical(image)
    registry = reference.partition("/")[0]
    log = logging.getLogger(PROGRESS)
    log.info("pulling %s", image)
    try:
        auth = await asyncio.to_thread(credentials, registry)
        words = client.images.pull(reference, auth=auth, stream=True)
        await _follow(words, log, image)
    except (DockerError, aiohttp.ClientError, OSError) as error:
        said = str(getattr(error, "message", None) or error).strip()
        raise PullFailed(said, remedy(said, image, registry)) from error
    log.info("pulled %s", image)


def credentials(registry: str) -> Mapping[str, str] | None:
    """The credentials that `docker login` stored for a registry, in Docker's configuration or a credential helper, or
    None. Blocks. Raises OSError when they cannot be read."""
    from docker import auth  # noqa: PLC0415 - heavy: only where something is pulled
    from docker.errors import DockerException  # noqa: PLC0415

    try:
        found = auth.load_config().resolve_authconfig(registry)
    except (DockerException, ValueError) as error:
        raise OSError(f"the credentials of docker login cannot be read: {error}") from error
    return {name.lower(): value for name, value in found.items() if value} if found else None


def canonical(image: str) -> str:
    """The image with registry and tag, as containerd and Fargate write it."""
    host, slash, _ = image.partition("/")
    if not slash:
        image = f"docker.io/library/{image}"
    elif "." not in host and ":" not in host and host != "localhost":
        image = f"docker.io/{image}"
    return image if ":" in image.rpartition("/")[2] or "@" in image else f"{image}:latest"


_DENIED = ("unauthorized", "authentication required", "no basic auth credentials", "access denied", "denied:", "401",
           "403", "forbidden", "toomanyrequests", "rate limit", "incorrect username or password")  # fmt: skip
_UNREACHABLE = ("no such host", "dial tcp", "i/o timeout", "connection refused", "tls handshake", "client.timeout",
                "no route to host", "network is unreachable", "context deadline exceeded")  # fmt: skip


def remedy(said: str, image: str, registry: str) -> str:
    """What to do about an error of the engine."""
    said = said.lower()
    if "no space left on device" in said:
        return "the engine's disk is full: docker system df shows what takes the space; make room there"
    if "credentials of docker login" in said or "credentials store" in said:
        return f"see to the credential helper, or docker pull {image}"
    if image.startswith("webordinary/"):
        return "the reference system's images are in no registry: kit images build makes them"
    if any(sign in said for sign in _DENIED):
        login = "docker login" if registry == "docker.io" else f"docker login {registry}"
        return f"{login} with an account that may pull it, and see that its name is right (docker pull {image})"
    if any(sign in said for sign in _UNREACHABLE):
        return f"the engine cannot reach the registry {registry}: docker pull {image} when it can, or build it"
    if "manifest unknown" in said or "not found" in said:
        return f"the registry {registry} has none of this name and tag: see what it has, and name that"
    return f"docker pull {image} must succeed first"


async def _follow(words: AsyncIterator[Mapping[str, Any]], log: logging.Logger, image: str) -> None:
    """Log progress. Raises `DockerError` for an error in the output."""
    layers: dict[str, tuple[float, float]] = {}
    now = asyncio.get_running_loop().time
    logged = now()
    async for word in words:
        if "error" in word:
            raise DockerError(500, str(word["error"]))
        how_far = word.get("progressDetail") or {}
        if word.get("status") == "Downloading" and "total" in how_far:
            layers[word.get("id", "")] = (how_far["current"], how_far["total"])
        if layers and now() - logged >= _EVERY:
            logged = now()
            here, whole = (sum(each) / _MEGABYTE for each in zip(*layers.values(), strict=True))
            log.info("pulling %s: %.0f of %.0f MB", image, here, whole)
