"""emulation/services/elbv2/tunnel.py: WebSockets through the load balancer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import WSMsgType, web

from tests.support.balancer import Lab, balancer, echo, rule, until
from webordinary_testkit.emulation.services.elbv2.routing_table import TargetGroup

Talk = Callable[[web.WebSocketResponse], Awaitable[None]]


@pytest_asyncio.fixture
async def lab() -> AsyncIterator[Lab]:
    async with balancer() as made:
        yield made


async def talking(lab: Lab, talk: Talk, group: TargetGroup | None = None, **options: Any) -> int:
    """A WebSocket target behind /ws/*; returns its port."""

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        socket = web.WebSocketResponse(**options)
        await socket.prepare(request)
        await talk(socket)
        return socket

    group = group or lab.group()
    await lab.route(rule("/ws/*", to=group))
    port = await lab.target(serve)
    lab.register(group, port)
    return port


async def parrot(socket: web.WebSocketResponse) -> None:
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            await socket.send_str(message.data)
        elif message.type is WSMsgType.BINARY:
            await socket.send_bytes(message.data)


def connect(lab: Lab, **options: Any) -> Any:
    return lab.client.ws_connect(f"{lab.url}/ws/hmr", **options)


async def test_text_and_binary_go_there_and_back(lab: Lab) -> None:
    await talking(lab, parrot)
    async with connect(lab) as socket:
        await socket.send_str("grüße")
        assert await socket.receive_str(timeout=5) == "grüße"
        await socket.send_bytes(b"\x00\xff")
        assert await socket.receive_bytes(timeout=5) == b"\x00\xff"


async def test_the_target_may_speak_first(lab: Lab) -> None:
    async def greet(socket: web.WebSocketResponse) -> None:
        await socket.send_str("connected")
        await socket.receive()

    await talking(lab, greet)
    async with connect(lab) as socket:
        assert await socket.receive_str(timeout=5) == "connected"


async def test_a_client_may_send_right_behind_its_handshake(lab: Lab) -> None:
    await talking(lab, parrot)
    reader, writer = await asyncio.open_connection(*lab.address)
    handshake = (
        b"GET /ws/x HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    writer.write(handshake + b"\x81\x82\x00\x00\x00\x00hi")  # "hi", masked with zeros
    await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    assert await asyncio.wait_for(reader.readexactly(4), 5) == b"\x81\x02hi"
    writer.close()


async def test_frames_of_two_megabytes_pass(lab: Lab) -> None:
    await talking(lab, parrot, max_msg_size=0)
    load = bytes(range(256)) * 8192
    async with connect(lab, max_msg_size=0) as socket:
        await socket.send_bytes(load)
        assert await socket.receive_bytes(timeout=10) == load


async def test_the_subprotocol_is_agreed_between_client_and_target(lab: Lab) -> None:
    await talking(lab, parrot, protocols=["vite-hmr"])
    async with connect(lab, protocols=["other", "vite-hmr"]) as socket:
        assert socket.protocol == "vite-hmr"


async def test_compression_is_agreed_between_client_and_target(lab: Lab) -> None:
    await talking(lab, parrot)
    async with connect(lab, compress=15) as socket:
        assert socket.compress == 15
        await socket.send_str("x" * 5000)
        assert await socket.receive_str(timeout=5) == "x" * 5000


async def test_pings_reach_the_other_end_both_ways(lab: Lab) -> None:
    heard: list[Any] = []

    async def listen(socket: web.WebSocketResponse) -> None:
        heard.append(await socket.receive())
        await socket.ping(b"from target")
        heard.append(await socket.receive())

    await talking(lab, listen, autoping=False)
    async with connect(lab, autoping=False) as socket:
        await socket.ping(b"from client")
        ping = await socket.receive(timeout=5)
        await socket.pong(ping.data)
        await until(lambda: len(heard) == 2)
    assert (heard[0].type, heard[0].data) == (WSMsgType.PING, b"from client")
    assert (ping.type, ping.data) == (WSMsgType.PING, b"from target")
    assert (heard[1].type, heard[1].data) == (WSMsgType.PONG, b"from target")


async def test_the_targets_close_code_reaches_the_client(lab: Lab) -> None:
    async def leave(socket: web.WebSocketResponse) -> None:
        await socket.close(code=4001, message=b"enough")

    await talking(lab, leave)
    async with connect(lab) as socket:
        message = await socket.receive(timeout=5)
        assert (message.type, message.data, message.extra) == (WSMsgType.CLOSE, 4001, "enough")


async def test_the_clients_close_code_reaches_the_target(lab: Lab) -> None:
    codes: list[int | None] = []

    async def listen(socket: web.WebSocketResponse) -> None:
        await parrot(socket)
        codes.append(socket.close_code)

    await talking(lab, listen)
    async with connect(lab) as socket:
        await socket.close(code=4002)
    assert await until(lambda: codes) == [4002]


async def test_a_client_that_vanishes_is_gone_for_the_target(lab: Lab) -> None:
    gone = asyncio.Event()

    async def listen(socket: web.WebSocketResponse) -> None:
        await parrot(socket)
        gone.set()

    await talking(lab, listen)
    socket = await connect(lab)
    socket._response.connection.transport.abort()
    await asyncio.wait_for(gone.wait(), 5)


async def test_a_target_that_vanishes_is_gone_for_the_client(lab: Lab) -> None:
    async def vanish(socket: web.WebSocketResponse) -> None:
        await socket.receive()
        assert socket._req is not None and socket._req.transport is not None
        socket._req.transport.abort()

    await talking(lab, vanish)
    await lab.route(rule("/ws/*", to=next(iter(lab.groups.values()))), idle_timeout=4000.0)
    async with connect(lab) as socket:
        await socket.send_str("go")
        assert (await socket.receive(timeout=5)).type in (WSMsgType.CLOSED, WSMsgType.ERROR)


async def test_a_refused_upgrade_is_an_answer_like_any_other(lab: Lab) -> None:
    async def refuse(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=403, text="not you")

    group = lab.group()
    await lab.route(rule("/*", to=group))
    lab.register(group, await lab.target(refuse))
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    assert await lab.fetch("/ws/x", headers=headers) == (403, "not you")


async def test_after_a_refused_upgrade_the_connection_serves_on(lab: Lab) -> None:
    group = lab.group()
    await lab.route(rule("/*", to=group))
    lab.register(group, await lab.target(echo))
    answer = await lab.raw(
        b"GET /1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
        b"GET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    assert b'"/1"' in answer and b'"/2"' in answer


async def test_the_idle_timeout_closes_a_silent_websocket(lab: Lab) -> None:
    await talking(lab, parrot)
    await lab.route(rule("/ws/*", to=next(iter(lab.groups.values()))), idle_timeout=12.0)
    async with connect(lab) as socket:
        before = lab.clock.now()
        message = await socket.receive(timeout=5)
        assert message.type in (WSMsgType.CLOSED, WSMsgType.ERROR)
        assert lab.clock.now() - before >= 11


async def test_pings_keep_a_websocket_from_being_idle(lab: Lab) -> None:
    await talking(lab, parrot)
    await lab.route(rule("/ws/*", to=next(iter(lab.groups.values()))), idle_timeout=18.0)
    async with connect(lab) as socket:
        for _ in range(5):
            await lab.clock.sleep(6)
            await socket.ping()
        await socket.send_str("still here")
        assert await socket.receive_str(timeout=5) == "still here"


async def test_a_drained_target_loses_its_websockets_when_the_delay_is_over(lab: Lab) -> None:
    group = lab.group(deregistration_delay=6.0)
    port = await talking(lab, parrot, group)
    async with connect(lab) as socket:
        lab.deregister(group, port)
        await socket.send_str("while draining")
        assert await socket.receive_str(timeout=5) == "while draining"
        assert (await socket.receive(timeout=5)).type in (WSMsgType.CLOSED, WSMsgType.ERROR)


async def test_the_access_log_tells_of_the_connection_when_it_is_closed(lab: Lab) -> None:
    await talking(lab, parrot)
    async with connect(lab) as socket:
        await socket.send_str("hello")
        await socket.receive_str(timeout=5)
    line = (await lab.log())[0]
    assert line.startswith("ws ") and " 101 101 " in line
    received, sent = line.split()[10:12]
    assert (int(received), int(sent)) == (6 + 5 + 6 + 2, 2 + 5 + 2 + 2)  # a text frame and a close frame each


async def test_a_slow_reader_slows_the_sender_down(lab: Lab) -> None:
    sent = 0

    async def pour(socket: web.WebSocketResponse) -> None:
        nonlocal sent
        while sent < 400:
            await socket.send_bytes(bytes(65536))
            sent += 1

    await talking(lab, pour)
    reader, writer = await asyncio.open_connection(*lab.address, limit=65536)
    writer.write(
        b"GET /ws/x HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    stalled = -1
    while sent != stalled:
        stalled = sent
        await lab.clock.sleep(6)
    assert 0 < sent < 400
    writer.close()


async def test_a_dead_target_is_502_for_an_upgrade_too(lab: Lab) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    group = lab.group()
    await lab.route(rule("/ws/*", to=group))
    lab.register(group, await lab.listen(lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader(), hang_up)))
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await connect(lab)
    assert refused.value.status == 502
