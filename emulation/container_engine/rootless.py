"""The way from a rootless engine's containers back to this machine.

Rootless Docker has a network of its own, in user space (slirp4netns), whose address for this machine's loopback is
10.0.2.2. Docker closes that way unless it is told not to.
"""

from __future__ import annotations

import asyncio

from aiodocker import DockerError

from ..core.addressing import LOOPBACK
from .engine import Engine, EngineUnusable

_LOOPBACK_INSIDE = "10.0.2.2"
_WITHIN = 10.0
"""Wall seconds; where the way is closed the engine says so at once."""


async def this_machine(engine: Engine) -> str:
    """The address of this machine's loopback in the engine's network. Raises `EngineUnusable` when it leads nowhere."""
    said = await _reached(engine, _LOOPBACK_INSIDE)
    if said is not None:
        raise EngineUnusable(
            f"containers of the rootless engine at {engine.address} cannot reach this machine's loopback, where the "
            f"emulated cloud listens ({said}). next: start it with "
            "DOCKERD_ROOTLESS_ROOTLESSKIT_FLAGS=--disable-host-loopback=false in its environment "
            "(systemctl --user edit docker), or run without: --runtime process"
        )
    return _LOOPBACK_INSIDE


async def _reached(engine: Engine, address: str) -> str | None:
    """None when the engine comes to a server of this machine's by that address, else what it says. It is asked to
    import an image from there: that is the one call by which it opens a connection itself, and no image is needed."""
    came = asyncio.Event()

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.set()
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    said = "it did not come"
    async with await asyncio.start_server(answer, LOOPBACK, 0) as server:
        url = f"http://{address}:{server.sockets[0].getsockname()[1]}/"
        try:
            async with asyncio.timeout(_WITHIN):
                said = str(await engine.import_image(url))
        except (DockerError, TimeoutError) as error:
            said = str(getattr(error, "message", error)) or said
    return None if came.is_set() else said
