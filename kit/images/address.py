"""Where the container engine is. Decided here once: for the kit's own calls, for the cloud that the kit starts (by the
variables of its environment), and for a run's note, from which an audit finds the same engine again.

DOCKER_HOST goes first, then the context in use, then the sockets of Docker, rootless Docker and podman.
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
_VARIABLES = {*_BY_HOST, "DOCKER_CONTEXT"}


@dataclass(frozen=True)
class Address:
    """An engine's place, and how to get there again."""

    url: str
    """Such as unix:///var/run/docker.sock."""
    variables: Mapping[str, str] = field(hash=False)
    """Lead there, whatever else is in use by then; none where nothing listens."""

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """An environment in which every program finds this engine."""
        return {name: value for name, value in environ.items() if name not in _VARIABLES} | dict(self.variables)


def address(environ: Mapping[str, str] = os.environ) -> Address:
    """Where these variables lead. Raises `UsageError` for a context that is not there or cannot be read."""
    if environ.get("DOCKER_HOST"):
        return Address(environ["DOCKER_HOST"], {name: environ[name] for name in _BY_HOST if environ.get(name)})
    context = in_use(environ)
    if context is not None:
        if context.TLSConfig is None:
            return Address(str(context.Host), {"DOCKER_HOST": str(context.Host)})
        return Address(str(context.Host), {"DOCKER_CONTEXT": str(context.name)})  # which knows the certificates
    if os.name == "nt":
        return Address(_PIPE, {"DOCKER_HOST": _PIPE})
    found = next((path for path in sockets(environ) if path.is_socket()), None)
    if found is None:
        return Address(f"unix://{sockets(environ)[0]}", {})
    return Address(f"unix://{found}", {"DOCKER_HOST": f"unix://{found}"})


def in_use(environ: Mapping[str, str]) -> Any | None:
    """The Docker context that DOCKER_CONTEXT or the configuration names; None for the default one. Raises
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
        said = f"there is no Docker context {named!r}" if named else "there is no Docker context of the name in use"
        raise UsageError(said, where=where, next="docker context ls")
    return None if context.name == "default" else context


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


def _configured(environ: Mapping[str, str]) -> bool:
    folder = Path(environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    try:
        return '"currentContext"' in (folder / "config.json").read_text(encoding="utf-8")
    except OSError:
        return False
