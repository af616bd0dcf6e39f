"""The address of this machine for the containers of a rootless engine.

Rootless Docker has a user-space network (slirp4netns), in which this machine's loopback is 10.0.2.2. Docker blocks
it by default.
"""

from __future__ import annotations

import asyncio

from aiodocker import DockerError

from ..core.addressing import LOOPBACK
from .engine import Engine, EngineUnusable

_LOOPBACK_INSIDE = "10.0.2.2"
_WITHIN = 10.0
"""Wall seconds; an engine that is blocked reports it at once."""


async def this_machine(engine: Engine) -> str:
    """The address of this machine's loopback in the engine's network. Raises `EngineUnusable` when it is blocked."""
    said = await _error_of(engine, _LOOPBACK_INSIDE)
    if said is not None:
        raise EngineUnusable(
            f"containers of the rootless engine at {engine.address} cannot reach this machine's loopback, where the "
            f"emulated cloud listens ({said}). next: start it with "
            "DOCKERD_ROOTLESS_ROOTLESSKIT_FLAGS=--disable-host-loopback=false in its environment "
            "(systemctl --user edit docker), or run without: --runtime process"
        )
    return _LOOPBACK_INSIDE


async def _error_of(engine: Engine, address: str) -> str | None:
    """None when the engine reaches a server of this machine at that address, else its error. The engine is asked to
    import an image from there: the only call for which it opens a connection, and it needs no image."""
    connected = asyncio.Event()

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    said = "it did not connect"
    async with await asyncio.start_server(answer, LOOPBACK, 0) as server:
        url = f"http://{address}:{server.sockets[0].getsockname()[1]}/"
        try:
            async with asyncio.timeout(_WITHIN):
                said = str(await engine.import_image(url))
        except (DockerError, TimeoutError) as error:
            said = str(getattr(error, "message", error)) or said
    return None if connected.is_set() else said
