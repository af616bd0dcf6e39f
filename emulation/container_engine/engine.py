"""The container engine: found where the `docker` command finds it, and asked before anything depends on it."""

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
"""Docker 19.03, podman 3: the first with everything that is asked of them here."""
_PERIOD = 100_000
"""Microseconds, in which a container may use its share of CPU time: the engines' own."""
_NEXT = 'next: start it, or run without: --runtime process (runtime = "process" below [emulated] in kit.toml)'


class EngineUnusable(OSError):
    """There is no engine that could run containers; the text says why, and what to do."""

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
        """Whether it has a network namespace of its own on this machine."""
        self.remote: bool = self.emulates or self.rootless
        """Whether its bridges are elsewhere, whatever is done."""

    @classmethod
    async def open(cls, environ: Mapping[str, str] = os.environ, *, instead: str = _NEXT) -> Engine:
        """DOCKER_HOST, then the context in use, then the sockets of Docker, rootless Docker and podman. Raises
        `EngineUnusable`, whose text ends with what can be done `instead`."""
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
        """Unpack a tar archive in a container, its files owned as it says. Raises `DockerError`."""
        # Left unsaid, podman gives them to the container's user.
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
        if self.podman:  # older than 5 it knows the call by its own name only
            call, versioned = f"v4.0.0/libpod/{call}", False
            body = {"cpu": {"period": _PERIOD, "quota": int(cpus * _PERIOD)}}
        data = json.dumps(body).encode()
        await self.client._query_json(call, method="POST", data=data, versioned_api=versioned)

    async def imported(self, url: str) -> str:
        """Have the engine import an image from a URL; what it said. Raises `DockerError`."""
        async with self.client._query("images/create", "POST", params={"fromSrc": url}) as response:
            return await response.text()

    async def json(self, call: str, query: Mapping[str, str]) -> Any:
        """A GET call with parameters that the client library does not offer. Raises `DockerError`, and `ValueError` for
        what is no JSON. The answer's own word on that is not asked: podman says of some that they are nothing."""
        async with self.client._query(call, params=dict(query)) as response:
            return json.loads(await response.read())


async def _close(client: Docker) -> None:
    await client.close()
    await client.connector.close()  # it closes none that it was given


def sockets(environ: Mapping[str, str] = os.environ) -> list[Path]:
    """Where engines listen that neither DOCKER_HOST nor a context names."""
    own = Path(environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid() if hasattr(os, 'getuid') else 0}")
    return [
        Path("/var/run/docker.sock"),
        own / "docker.sock",
        Path.home() / ".docker/run/docker.sock",
        own / "podman/podman.sock",
        Path("/run/podman/podman.sock"),
    ]


def _client(environ: Mapping[str, str]) -> tuple[Docker, str]:
    url = environ.get("DOCKER_HOST") or None
    if url is None and _has_context(environ):
        url, tls = _of_context(environ.get("DOCKER_CONTEXT"))
        if url is not None and tls is not None:
            return Docker(url.replace("tcp://", "https://", 1), ssl_context=tls), url
    if url is None:
        found = next((path for path in sockets(environ) if path.is_socket()), None)
        url = f"unix://{found}" if found else None
        if url is None and os.name != "nt":
            looked = ", ".join(str(path) for path in sockets(environ))
            raise ValueError(f"no container engine was found: DOCKER_HOST is not set, and none listens at {looked}")
    if url is not None and url.startswith("unix://"):
        # A run of forty containers holds eighty connections; aiohttp's own limit is a hundred.
        client = Docker(url, connector=aiohttp.UnixConnector(url.removeprefix("unix://"), limit=0))
        client.docker_host = "unix://localhost"  # as the library does with a connector of its own making
        return client, url
    client = Docker(url)
    return client, url or client._connection_info


def _of_context(name: str | None) -> tuple[str | None, ssl.SSLContext | None]:
    """Where a Docker context leads, without a name the one in use; the default one leads nowhere of its own. Read as
    the kit and docker-py do: aiodocker's own way knows nothing of DOCKER_CONFIG."""
    from docker.context import ContextAPI  # noqa: PLC0415 - heavy: only where a context is in use
    from docker.errors import DockerException  # noqa: PLC0415

    try:
        context = ContextAPI.get_context(name)
    except DockerException as error:
        raise ValueError(f"the Docker context cannot be read: {error}") from error
    if context is None or not context.Host:
        which = repr(name) if name else "of the name that Docker's config.json has"
        raise ValueError(f"there is no Docker context {which}; docker context ls shows those there are")
    if context.name == "default":
        return None, None
    told = context.TLSConfig
    if told is None:
        return str(context.Host), None
    tls = ssl.create_default_context(cafile=told.ca_cert)
    tls.load_cert_chain(*told.cert)
    if not told.verify:
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    return str(context.Host), tls


def _has_context(environ: Mapping[str, str]) -> bool:
    if environ.get("DOCKER_CONTEXT", "default") != "default":
        return True
    if "DOCKER_CONTEXT" in environ:
        return False
    configuration = Path(environ.get("DOCKER_CONFIG") or Path.home() / ".docker") / "config.json"
    try:
        return json.loads(configuration.read_text()).get("currentContext", "default") not in ("", "default")
    except OSError:
        return False
    except (ValueError, AttributeError) as error:
        raise ValueError(f"{configuration} is not what the docker command writes: {error}") from error


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
