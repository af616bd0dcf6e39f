"""Hot reload: sockets hear of new commits, whoever made them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.system import Edit, edit_container, until
from webordinary_testkit.emulation.system.edit.directory import Place
from webordinary_testkit.emulation.system.edit.hot_reload import message


class Socket:
    """A browser's end."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def next(self) -> dict[str, Any]:
        return dict(await asyncio.wait_for(self.socket.receive_json(), 10))


@asynccontextmanager
async def browser(edit: Edit, query: str = "?session=s1") -> AsyncIterator[Socket]:
    async with edit.http.ws_connect(f"{edit.url}/ws/hmr{query}", protocols=("vite-hmr",), autoping=True) as socket:
        opened = Socket(socket)
        assert await opened.next() == {"type": "connected"}
        yield opened


async def test_a_new_page_reloads_it(tmp_path: Path) -> None:
    async with edit_container(tmp_path) as edit:
        await edit.work("w1", "create page A")
        async with browser(edit) as tab:
            await edit.work("w2", "create page B")
            told = await tab.next()
            assert told == {"type": "full-reload", "path": "/page-b"}


async def test_a_change_made_by_another_container_is_told_too(tmp_path: Path) -> None:
    async with edit_container(tmp_path) as one, edit_container(tmp_path) as other:
        await one.work("w1", "create page A")
        async with browser(one) as tab:
            await other.work("w2", "create page B")
            assert (await tab.next())["path"] == "/page-b"


async def test_other_threads_and_users_are_not_told(tmp_path: Path) -> None:
    async with edit_container(tmp_path) as edit:
        await edit.work("w1", "create page A")
        async with browser(edit) as tab:
            await edit.work("w2", "create page B", session="s2", thread="t2")
            await edit.work("w3", "create page C", session="s3", thread="t3", user="bob@x.y")
            await edit.work("w4", "create page D")
            assert (await tab.next())["path"] == "/page-d"


async def test_a_work_that_fails_reloads_nothing(tmp_path: Path) -> None:
    async with edit_container(tmp_path) as edit:
        await edit.work("w1", "create page A")
        async with browser(edit) as tab:
            await edit.work("w2", "fail")
            await edit.work("w3", "create page B")
            assert (await tab.next())["path"] == "/page-b"


async def test_a_socket_may_be_there_before_the_workspace(tmp_path: Path) -> None:
    async with edit_container(tmp_path) as edit:
        edit.container.directory.enter(Place("s1", "test-client", "test@example.com", "t1"))
        async with browser(edit) as tab:
            await edit.work("w1", "create page A")
            assert (await tab.next())["type"] == "full-reload"


async def test_a_socket_without_a_session_is_welcome(tmp_path: Path) -> None:
    async with edit_container(tmp_path) as edit, browser(edit, "") as tab:
        await tab.socket.send_str('{"type":"ping"}')
        await tab.socket.ping()
        assert not tab.socket.closed


async def test_a_socket_without_a_session_follows_the_default_user(tmp_path: Path) -> None:
    default: dict[str, Any] = {"default_client_id": "test-client", "default_user_id": "test@example.com"}
    async with edit_container(tmp_path, **default) as edit:
        await edit.work("w1", "create page A")
        async with browser(edit, "") as tab:
            await edit.work("w2", "create page B")
            assert (await tab.next())["path"] == "/page-b"


@pytest.mark.parametrize(("query", "status"), [("?session=nobody", 404), ("?session=../x", 400), ("?session=", 400)])
async def test_a_socket_for_an_unknown_session_is_refused(tmp_path: Path, query: str, status: int) -> None:
    async with edit_container(tmp_path) as edit:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await edit.http.ws_connect(f"{edit.url}/ws/hmr{query}")
        assert refused.value.status == status


async def test_an_open_socket_is_pinged_before_a_load_balancer_would_close_it(tmp_path: Path) -> None:
    async with (
        edit_container(tmp_path) as edit,
        edit.http.ws_connect(f"{edit.url}/ws/hmr", autoping=False) as socket,
    ):
        await socket.receive_json()
        began = edit.container.clock.now()
        ping = await asyncio.wait_for(socket.receive(), 10)
        assert ping.type is aiohttp.WSMsgType.PING
        assert edit.container.clock.now() - began < 60


async def test_when_the_container_stops_browsers_are_sent_away(tmp_path: Path) -> None:
    async with edit_container(tmp_path) as edit, browser(edit, "") as tab:
        await edit.container.hot_reload.close()
        closed = await asyncio.wait_for(tab.socket.receive(), 10)
        assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, 1001)


async def test_nothing_is_watched_when_nobody_listens(tmp_path: Path) -> None:
    async with edit_container(tmp_path) as edit:
        await edit.work("w1", "create page A")
        async with browser(edit), browser(edit):
            await until(lambda: len(edit.container.hot_reload._watches) == 1)
        await until(lambda: not edit.container.hot_reload._watches)


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        (["src/pages/index.astro"], "/"),
        (["src/pages/news/index.astro"], "/news"),
        (["src/pages/a.astro"], "/a"),
        (["src/pages/a.astro", "src/pages/b.astro"], "*"),
        (["src/components/Card.astro"], "*"),
        ([], "*"),
    ],
)
def test_the_page_to_reload(changed: list[str], path: str) -> None:
    assert message(changed, 1)["path"] == path
    assert message(changed, 1)["type"] == "full-reload"


def test_stylesheets_alone_are_an_update() -> None:
    told = message(["public/styles.css"], 5)
    assert told == {
        "type": "update",
        "updates": [
            {"type": "css-update", "timestamp": 5, "path": "/styles.css", "acceptedPath": "/styles.css"},
        ],
    }
