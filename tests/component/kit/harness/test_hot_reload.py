"""Hot reload as a browser sees it, from a small server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import pytest
from websockets import Subprotocol
from websockets.asyncio.server import Request, Response, ServerConnection, serve

from tests.support.kit import ManualClock, a_context, a_stack
from webordinary_testkit.kit.core.errors import WaitExpired
from webordinary_testkit.kit.harness.hot_reload import HotReload
from webordinary_testkit.kit.harness.sessions import TestSession
from webordinary_testkit.kit.system.contract import ContractBroken

SESSION = TestSession("TEST_1", "c", "u@x", "", "m")
CONNECTED, RELOAD = '{"type": "connected"}', '{"type": "full-reload", "path": "/hello"}'


@asynccontextmanager
async def browsing(*messages: str, refuse: HTTPStatus | None = None) -> AsyncIterator[tuple[HotReload, list[str]]]:
    """A server that sends these messages to every client; and the requested paths."""
    paths: list[str] = []

    def arrived(connection: ServerConnection, request: Request) -> Response | None:
        paths.append(request.path)
        return connection.respond(refuse, "no") if refuse else None

    async def talk(connection: ServerConnection) -> None:
        for message in messages:
            await connection.send(message)
        await connection.wait_closed()

    async with serve(
        talk, "127.0.0.1", 0, process_request=arrived, subprotocols=[Subprotocol("vite-hmr")], compression=None
    ) as server:
        host, port = next(iter(server.sockets)).getsockname()
        stack = a_stack(load_balancer_url=f"http://{host}:{port}")
        yield HotReload(a_context(clock=ManualClock(), stack=stack)), paths


async def test_a_socket_asks_for_its_session_and_hears_what_is_said() -> None:
    async with (
        browsing(CONNECTED, '{"type": "ping"}', RELOAD) as (hot_reload, paths),
        hot_reload.open(SESSION) as socket,
    ):
        await socket.wait_until_connected(within=60)
        message = await socket.wait_for_reload(within=60)
    assert paths == ["/ws/hmr?session=TEST_1"]
    assert socket.protocol == "vite-hmr"
    assert message["path"] == "/hello"


async def test_a_greeting_is_no_reload() -> None:
    async with browsing(CONNECTED) as (hot_reload, _), hot_reload.open(SESSION) as socket:
        with pytest.raises(WaitExpired, match="a hot-reload message"):
            await socket.wait_for_reload(within=60)


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ("reload!", "it is no JSON"),
        ('{"type": "reload"}', "type: "),
        ('{"type": "update"}', "updates is missing"),
        ('{"type": "update", "updates": [{"type": "css-update", "path": "/a.css"}]}', "updates.0.acceptedPath"),
    ],
)
async def test_other_words_than_vites_break_the_contract(said: str, wrong: str) -> None:
    with pytest.raises(ContractBroken, match=wrong):
        async with browsing(CONNECTED, said) as (hot_reload, _), hot_reload.open(SESSION) as socket:
            await socket.wait_for_reload(within=60)


async def test_the_status_of_a_refusal_is_returned() -> None:
    async with browsing(refuse=HTTPStatus.SERVICE_UNAVAILABLE) as (hot_reload, _):
        assert await hot_reload.refusal(SESSION) == 503


async def test_an_upgrade_that_is_accepted_is_no_refusal() -> None:
    async with browsing(CONNECTED) as (hot_reload, _):
        with pytest.raises(AssertionError, match="it was accepted"):
            await hot_reload.refusal(SESSION)
