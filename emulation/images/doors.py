"""Forwards ports of this container to its loopback while a program runs.

    doors.py KIT_EMULATED__PORT -- python3 -m kit up        # with KIT_EMULATED__PORT=4566 in the environment

    published port ─▶ this container's own address:4566 ─▶ 127.0.0.1:4566

The emulated cloud listens on loopback only, and its answers contain 127.0.0.1. The ports are published on the loopback
of the machine, so these addresses are valid inside the container and on the machine. Standard library only.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Sequence
from functools import partial

_CHUNK = 65_536


async def main(ports: Sequence[int], argv: Sequence[str]) -> int:
    """Run the program; returns its exit code."""
    own = socket.gethostbyname(socket.gethostname())
    servers, open_now = [], set[asyncio.Task[None]]()

    def accept(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        passing = asyncio.create_task(_forward(port, reader, writer))
        open_now.add(passing)  # the only reference to it
        passing.add_done_callback(open_now.discard)

    if not own.startswith("127."):  # nothing to forward in the machine's network
        servers = [await asyncio.start_server(partial(accept, port), own, port, backlog=512) for port in ports]
    # The program ends with this process, when its standard input closes.
    reading, _lifeline = os.pipe()
    program = await asyncio.create_subprocess_exec(*argv, stdin=reading)
    os.close(reading)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, program.terminate)
    try:
        return await program.wait()
    finally:
        for server in servers:
            server.close()


async def _forward(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Forward one connection. The end of one stream ends the other side's; an error aborts both."""
    try:
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        writer.transport.abort()
        return
    copies = [asyncio.create_task(_copy(reader, to_writer)), asyncio.create_task(_copy(to_reader, writer))]
    try:
        await asyncio.gather(*copies)
    except OSError:
        for side in (writer, to_writer):
            side.transport.abort()
    finally:
        for copy in copies:
            copy.cancel()
        for side in (writer, to_writer):
            side.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


if __name__ == "__main__":
    border = sys.argv.index("--")
    sys.exit(asyncio.run(main([int(os.environ[name]) for name in sys.argv[1:border]], sys.argv[border + 1 :])))
