"""The container engine at DOCKER_HOST: checked before anything depends on it."""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
from aiodocker import Docker, DockerError

_OLDEST = (1, 40)
"""Docker 19.03, podman 3: the first versions with every call that is made here."""
_DEFAULT = "npipe:////./pipe/docker_engine" if os.name == "nt" else "unix:///var/run/docker.sock"
"""Docker's default. The kit finds other engines, and starts the cloud with their address as DOCKER_HOST."""
_PERIOD = 100_000
"""Microseconds in which a container may use its share of CPU time: the engines' default."""
_NEXT = 'next: start it, or run without: --runtime process (runtime = "process" below [emulated] in kit.toml)'


class EngineUnusable(OSError):
    """No engine can run containers; the text says why and what to do."""

    def __str__(self) -> str:
        return str(self.args[0])


class Engine:
    """An engine that answers. `open` it, `close` it."""

    def __init__(self, client: Docker, address: str, about: Mapping[str, Any]) -> None:
        self.client = client
        self.address = address
        """Such as unix:///var/run/docker.sock."""
        self.architecture: str = about["Arch"]
        """As images name it: amd64, arm64, …"""
        self.cpus: int = about["NCPU"]
        self.emulates: bool = "Docker Desktop" in about.get("Platform", {}).get("Name", "")
        """Whether it runs images of other architectures."""
        self.podman: bool = any("Podman" in part.get("Name", "") for part in about.get("Components") or ())
        self.rootless: bool = "name=rootless" in about.get("SecurityOptions", ())
        """Whether it runs in a separate network namespace."""
        self.remote: bool = self.emulates or self.rootless
        """Whether its bridges are out of this machine's reach."""

    @classmethod
    async def open(cls, environ: Mapping[str, str] = os.environ, *, instead: str = _NEXT) -> Engine:
        """Connect to the engine at DOCKER_HOST, with TLS where DOCKER_TLS_VERIFY or DOCKER_CERT_PATH is set. Raises
        `EngineUnusable`, whose text ends with what to do `instead`."""
        address, client = None, None
        try:
            client, address = _client(environ)
            about = {**await client.system.info(), **await client.version()}
        except (DockerError, aiohttp.ClientError, OSError, ValueError, AssertionError) as error:
            if client is not None:
                await _close(client)
            raise EngineUnusable(_why(error, address, instead)) from error
        version = tuple(int(part) for part in str(about.get("ApiVersion", "0.0")).split("."))
        if about.get("Os") != "linux" or version < _OLDEST:
            await _close(client)
            raise EngineUnusable(
                f"the container engine at {address} runs {about.get('Os')} containers, API {about.get('ApiVersion')}; "
                "Linux containers and API 1.40 (Docker 19.03) or newer are needed. next: switch or update it"
            )
        return cls(client, address, about)

    async def close(self) -> None:
        await _close(self.client)

    async def headers(self, call: str, query: Mapping[str, str]) -> Mapping[str, str]:
        """A HEAD call, for which the client library has no method. Raises `DockerError`."""
        url = self.client._canonicalize_url(call)
        async with self.client.session.head(url, params=dict(query)) as response:
            if response.status >= 400:
                raise DockerError(response.status, f"HEAD {call}: {response.reason}")
            return dict(response.headers)

    async def unpack(self, container: str, path: str, archive: bytes) -> None:
        """Unpack a tar archive in a container, keeping the owners of its files. Raises `DockerError`."""
        # By default podman gives them to the container's user.
        query = {"path": path, "noOverwriteDirNonDir": "true", "copyUIDGID": "false"}
        headers = {"Content-Type": "application/x-tar"}
        async with self.client._query(
            f"containers/{container}/archive", "PUT", params=query, data=archive, headers=headers
        ) as response:
            await response.read()

    async def limit_cpus(self, container: str, cpus: float) -> None:
        """Give a container another limit. Raises `DockerError`."""
        body: dict[str, Any] = {"NanoCpus": int(cpus * 1e9)}
        call, versioned = f"containers/{container}/update", True
        if self.podman:  # before version 5 only its own API has the call
            call, versioned = f"v4.0.0/libpod/{call}", False
            body = {"cpu": {"period": _PERIOD, "quota": int(cpus * _PERIOD)}}
        data = json.dumps(body).encode()
        await self.client._query_json(call, method="POST", data=data, versioned_api=versioned)

    async def import_image(self, url: str) -> str:
        """Import an image from a URL; returns the engine's output. Raises `DockerError`."""
        async with self.client._query("images/create", "POST", params={"fromSrc": url}) as response:
            return await response.text()

    async def json(self, call: str, query: Mapping[str, str]) -> Any:
        """A GET call with parameters that the client library does not offer. Raises `DockerError`, and `ValueError` for
        an answer that is not JSON. The content type is ignored: podman omits it for some."""
        async with self.client._query(call, params=dict(query)) as response:
            return json.loads(await response.read())


async def _close(client: Docker) -> None:
    await client.close()
    await client.connector.close()  # the client closes only connectors it made


def _client(environ: Mapping[str, str]) -> tuple[Docker, str]:
    url = environ.get("DOCKER_HOST") or _DEFAULT
    if url.startswith("unix://"):
        # A run of forty containers holds eighty connections; aiohttp's default limit is a hundred.
        client = Docker(url, connector=aiohttp.UnixConnector(url.removeprefix("unix://"), limit=0))
        client.docker_host = "unix://localhost"  # as the library does with a connector it made itself
        return client, url
    folder, verified = environ.get("DOCKER_CERT_PATH"), bool(environ.get("DOCKER_TLS_VERIFY"))
    if not folder and not verified:
        return Docker(url), url
    certificates = Path(folder or Path.home() / ".docker")
    tls = ssl.create_default_context(cafile=certificates / "ca.pem")
    tls.load_cert_chain(certificates / "cert.pem", certificates / "key.pem")
    if not verified:
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    return Docker(url.replace("tcp://", "https://", 1), ssl_context=tls), url


def _why(error: BaseException, address: str | None, instead: str) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, PermissionError):
            return (
                f"no permission on the container engine's socket {address}. next: add yourself to the group that owns "
                "it (sudo usermod -aG docker $USER, then log in again), use rootless Docker or podman, or run without: "
                "--runtime process"
            )
        cause = cause.__cause__ or cause.__context__ or getattr(cause, "os_error", None)
    if address is None:
        return f"{error}. {instead}"
    said = getattr(error, "message", None) or error
    return f"no container engine answers at {address} ({said}). {instead}"
