"""Finds the container engine: for the kit's own calls, for the cloud that it starts (through environment variables) and
for a run's note, by which an audit finds the same engine again.

DOCKER_HOST comes first, then the Docker context in use, then the sockets of Docker, rootless Docker and podman.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.errors import UsageError

_BY_HOST = ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")
_PIPE = "npipe:////./pipe/docker_engine"


@dataclass(frozen=True)
class Address:
    """The address of an engine, and the environment variables that lead to it."""

    url: str
    """Such as unix:///var/run/docker.sock."""
    variables: Mapping[str, str] = field(hash=False)
    """Lead there, whichever engine is in use by then; empty when nothing listens."""

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """`environ`, changed so that every program finds this engine."""
        others = {name: value for name, value in environ.items() if name not in (*_BY_HOST, "DOCKER_CONTEXT")}
        return others | dict(self.variables)


def address(environ: Mapping[str, str] = os.environ) -> Address:
    """The engine that these variables lead to. Raises `UsageError` for a missing or unreadable context."""
    if environ.get("DOCKER_HOST"):
        return Address(environ["DOCKER_HOST"], {name: environ[name] for name in _BY_HOST if environ.get(name)})
    context = _context_in_use(environ)
    if context is not None:
        return _at(str(context.Host)) if context.TLSConfig is None else _with_tls(str(context.Host), context.TLSConfig)
    if os.name == "nt":
        return _at(_PIPE)
    found = next((path for path in sockets(environ) if path.is_socket()), None)
    return _at(f"unix://{found}") if found else Address(f"unix://{sockets(environ)[0]}", {})


def _at(url: str) -> Address:
    return Address(url, {"DOCKER_HOST": url})


def _with_tls(url: str, tls: Any) -> Address:
    """Contexts keep their certificates as DOCKER_CERT_PATH wants them: ca.pem, cert.pem and key.pem in one folder."""
    verify = {"DOCKER_TLS_VERIFY": "1"} if tls.verify else {}
    return Address(url, {"DOCKER_HOST": url, "DOCKER_CERT_PATH": str(Path(tls.ca_cert).parent), **verify})


def _context_in_use(environ: Mapping[str, str]) -> Any | None:
    """The Docker context named by DOCKER_CONTEXT or Docker's config.json; None for the default one. Raises
    `UsageError`."""
    named = environ.get("DOCKER_CONTEXT")
    if not named and not _configured(environ):
        return None
    from docker.context import ContextAPI  # noqa: PLC0415 - heavy: only where a context may be in use
    from docker.errors import DockerException  # noqa: PLC0415

    try:
        context = ContextAPI.get_context(named)
    except (DockerException, OSError, ValueError) as error:
        raise UsageError(f"the Docker context cannot be read: {error}", next="docker context ls") from None
    if context is None:
        where = "DOCKER_CONTEXT" if named else "currentContext in Docker's config.json"
        which = repr(named) if named else "of the name in use"
        raise UsageError(f"there is no Docker context {which}", where=where, next="docker context ls")
    return None if context.name == "default" else context


def sockets(environ: Mapping[str, str] = os.environ) -> list[Path]:
    """The default sockets of Docker, rootless Docker and podman."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    own = Path(environ.get("XDG_RUNTIME_DIR") or f"/run/user/{user}")
    return [
        Path("/var/run/docker.sock"),
        own / "docker.sock",
        Path.home() / ".docker/run/docker.sock",
        own / "podman/podman.sock",
        Path("/run/podman/podman.sock"),
    ]


def _configured(environ: Mapping[str, str]) -> bool:
    folder = Path(environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    try:
        return '"currentContext"' in (folder / "config.json").read_text(encoding="utf-8")
    except OSError:
        return False
