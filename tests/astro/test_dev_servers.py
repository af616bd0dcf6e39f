"""An edit container with real Astro: pages below the session's base, Vite's socket, the files of the branch's head."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.system import Edit, edit_container, until
from webordinary_testkit.emulation.system.edit.astro import servers
from webordinary_testkit.emulation.system.edit.astro.preview import AstroPreview
from webordinary_testkit.emulation.system.edit.astro.toolchain import Toolchain
from webordinary_testkit.kit.system.contract import check_hot_reload

SCALE = 1.0


@asynccontextmanager
async def astro(toolchain: Toolchain, workspace: Path, scale: float = SCALE) -> AsyncIterator[Edit]:
    """A container whose session s1 has a page A."""
    async with edit_container(workspace, scale=scale, astro=toolchain) as edit:
        status, done = await edit.work("w0", "create page A")
        assert status == 200, done
        yield edit


def preview(edit: Edit) -> AstroPreview:
    assert isinstance(edit.container.preview, AstroPreview)
    return edit.container.preview


async def get(edit: Edit, path: str) -> tuple[int, str, str | None]:
    """Status, body, and who rendered it."""
    async with edit.http.get(edit.url + path, allow_redirects=False) as response:
        return response.status, await response.text(), response.headers.get("X-Preview")


async def heard(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    return check_hot_reload(await asyncio.wait_for(socket.receive_str(), 20), "the socket")


async def test_pages_and_modules_are_served_below_the_sessions_base(toolchain: Toolchain, tmp_path: Path) -> None:
    async with astro(toolchain, tmp_path) as edit:
        status, body, by = await get(edit, "/session/s1/page-a")
        assert (status, by) == (200, f"astro {toolchain.astro}")
        assert '<script type="module" src="/session/s1/@vite/client">' in body
        assert 'href="/session/s1/styles.css"' in body
        assert 'href="/session/s1/about"' in body
        for path in ("/session/s1", "/session/s1/", "/preview/s1/page-a", "/session/s1/styles.css"):
            assert (await get(edit, path))[0] == 200, path
        status, script, _ = await get(edit, "/session/s1/@vite/client")
        assert (status, "/ws/hmr/s1" in script) == (200, True)
        assert (await get(edit, "/session/s1/nothing"))[0] == 404
        assert (await get(edit, "/session/s1/@fs/etc/passwd"))[0] == 403
        assert await edit.get("/session/s1/health") == (200, '{"status": "ready", "sessionId": "s1"}')


async def test_a_change_is_told_in_vites_words_and_is_there_at_once(toolchain: Toolchain, tmp_path: Path) -> None:
    async with astro(toolchain, tmp_path) as edit:
        await get(edit, "/session/s1/page-a")
        async with edit.http.ws_connect(f"{edit.url}/ws/hmr?session=s1", protocols=("vite-hmr",)) as socket:
            assert socket.protocol == "vite-hmr"
            assert await heard(socket) == {"type": "connected"}
            await edit.work("w1", 'Update the page "Page A" with the text "first words"')
            assert (await heard(socket))["type"] == "full-reload"
            assert "first words" in (await get(edit, "/session/s1/page-a"))[1]
        await edit.work("w2", "create page B\nDelete about.astro")
        assert (await get(edit, "/session/s1/page-b"))[0] == 200
        assert (await get(edit, "/session/s1/about"))[0] == 404


async def test_a_change_made_by_another_container_is_told_too(toolchain: Toolchain, tmp_path: Path) -> None:
    async with astro(toolchain, tmp_path) as edit, edit_container(tmp_path, scale=SCALE) as other:
        await get(edit, "/session/s1/page-a")
        async with edit.http.ws_connect(f"{edit.url}/ws/hmr/s1", protocols=("vite-hmr",)) as socket:
            await heard(socket)
            await other.work("w1", 'Update the page "Page A" with the text "from elsewhere"')
            assert (await heard(socket))["type"] == "full-reload"
            assert "from elsewhere" in (await get(edit, "/session/s1/page-a"))[1]


async def test_sessions_have_servers_of_their_own(toolchain: Toolchain, tmp_path: Path) -> None:
    async with astro(toolchain, tmp_path) as edit:
        await edit.work("w1", "create page B", session="s2", thread="t2")
        assert [(await get(edit, f"/session/{where}"))[0] for where in ("s1/page-a", "s2/page-b")] == [200, 200]
        assert [(await get(edit, f"/session/{where}"))[0] for where in ("s2/page-a", "s1/page-b")] == [404, 404]
        async with edit.http.ws_connect(f"{edit.url}/ws/hmr/s1", protocols=("vite-hmr",)) as socket:
            await heard(socket)
            await edit.work("w2", 'Update the page "Page B" with the text "x"', session="s2", thread="t2")
            await edit.work("w3", 'Update the page "Page A" with the text "y"')
            await heard(socket)
            assert "y" in (await get(edit, "/session/s1/page-a"))[1]


async def test_a_browsers_socket_needs_the_token_of_its_page(toolchain: Toolchain, tmp_path: Path) -> None:
    """Another site's script, in the same browser, must not read along."""
    async with astro(toolchain, tmp_path) as edit:
        await get(edit, "/session/s1")
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await edit.http.ws_connect(
                f"{edit.url}/ws/hmr/s1?token=guessed", protocols=("vite-hmr",), headers={"Origin": "http://evil.test"}
            )
        assert refused.value.status == 400


async def test_a_host_that_dies_is_replaced(toolchain: Toolchain, tmp_path: Path) -> None:
    async with astro(toolchain, tmp_path) as edit:
        await get(edit, "/session/s1")
        host = preview(edit)._host
        assert host._process is not None
        os.kill(host._process.pid, signal.SIGKILL)
        await until(lambda: not host.alive)
        assert (await get(edit, "/session/s1/page-a"))[0] == 200
        assert host.generation == 2


async def test_a_server_nobody_looks_at_is_stopped_and_comes_back(
    toolchain: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with astro(toolchain, tmp_path) as edit:
        await get(edit, "/session/s1")
        monkeypatch.setattr(servers, "UNUSED", 0.0)
        running = preview(edit)._servers
        await until(lambda: not running._running)
        monkeypatch.undo()
        assert (await get(edit, "/session/s1/page-a"))[0] == 200


async def test_a_server_makes_room_for_another_but_not_while_it_is_needed(
    toolchain: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "MOST", 1)
    async with astro(toolchain, tmp_path) as edit:
        dev, places = preview(edit)._servers, {}
        for session in ("s1", "s2", "s3"):
            await edit.work(f"w-{session}", "create page B", session=session, thread=f"t-{session}")
            assert (await get(edit, f"/session/{session}/page-b"))[0] == 200
            assert dev._running.keys() == {session}
            places[session] = dev._running[session].place
        async with dev.current(places["s1"]) as first, dev.current(places["s2"]) as second:
            assert dev._running == {"s1": first, "s2": second}
        async with dev.current(places["s3"]) as third:
            assert dev._running == {"s3": third}


async def test_the_end_of_a_session_ends_its_server(
    toolchain: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ended(_: object) -> bool:
        return True

    async with astro(toolchain, tmp_path) as edit:
        await get(edit, "/session/s1")
        async with edit.http.ws_connect(f"{edit.url}/ws/hmr/s1", protocols=("vite-hmr",)) as socket:
            await heard(socket)
            monkeypatch.setattr(servers, "LOOK", 0.0)
            monkeypatch.setattr(edit.container.activity, "has_ended", ended)
            closed = await asyncio.wait_for(socket.receive(), 20)
            assert closed.type is aiohttp.WSMsgType.CLOSE
        # As Vite's client does, which looks for its lost server every second.
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await edit.http.ws_connect(f"{edit.url}/ws/hmr/s1", protocols=("vite-ping",))
        assert refused.value.status == 404


async def test_no_folder_is_left(toolchain: Toolchain, tmp_path: Path) -> None:
    async with astro(toolchain, tmp_path) as edit:
        folder = preview(edit)._folder
        await get(edit, "/session/s1")
        assert (folder / "s1/src/pages/page-a.astro").is_file()
    assert not folder.exists()
