"""The doors of the emulated cloud's container: bytes go through as they come, and so do ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

from webordinary_testkit.emulation.images.doors import _forward


@asynccontextmanager
async def _door(behind: asyncio.Server | None) -> AsyncIterator[int]:
    """A port that passes on to a server, or to nobody."""
    port = behind.sockets[0].getsockname()[1] if behind else 9
    async with await asyncio.start_server(partial(_forward, port), "127.0.0.1", 0) as door:
        yield door.sockets[0].getsockname()[1]


async def _counted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers, once its client has said all, how much that was."""
    writer.write(str(len(await reader.read())).encode())
    writer.close()


async def test_a_client_that_has_said_all_still_gets_its_answer() -> None:
    async with await asyncio.start_server(_counted, "127.0.0.1", 0) as server, _door(server) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"x" * 1_000_000)
        writer.write_eof()
        assert await reader.read() == b"1000000"
        writer.close()


async def test_nobody_behind_is_a_connection_that_breaks() -> None:
    async with _door(None) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()


async def test_a_server_that_breaks_off_is_seen_by_the_client() -> None:
    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.transport.abort()

    async with await asyncio.start_server(rude, "127.0.0.1", 0) as server, _door(server) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"x")
        with suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
