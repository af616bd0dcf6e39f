"""Opens ports of this container to what listens on its loopback, and runs a program for as long as it lasts.

    doors.py KIT_EMULATED__PORT -- python3 -m kit up        # with KIT_EMULATED__PORT=4566 in the environment

    published port ─▶ this container's own address:4566 ─▶ 127.0.0.1:4566

The emulated cloud listens on loopback only and tells everybody to come to 127.0.0.1, inside as on the machine whose
loopback the ports are published on: the addresses hold at both ends. Standard library only.
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
    """Run the program; its exit code."""
    own = socket.gethostbyname(socket.gethostname())
    servers, open_now = [], set[asyncio.Task[None]]()

    def come(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        passing = asyncio.create_task(_passed_on(port, reader, writer))
        open_now.add(passing)  # nothing else holds on to it
        passing.add_done_callback(open_now.discard)

    if not own.startswith("127."):  # with the machine's own network there is nothing to open
        servers = [await asyncio.start_server(partial(come, port), own, port, backlog=512) for port in ports]
    # Its standard input is its lifeline: it ends with this process.
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


async def _passed_on(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection. An end of either side's stream is told to the other; a break breaks both."""
    try:
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        writer.transport.abort()
        return
    ways = [asyncio.create_task(_copied(reader, to_writer)), asyncio.create_task(_copied(to_reader, writer))]
    try:
        await asyncio.gather(*ways)
    except OSError:
        for side in (writer, to_writer):
            side.transport.abort()
    finally:
        for way in ways:
            way.cancel()
        for side in (writer, to_writer):
            side.close()


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


if __name__ == "__main__":
    border = sys.argv.index("--")
    sys.exit(asyncio.run(main([int(os.environ[name]) for name in sys.argv[1:border]], sys.argv[border + 1 :])))
