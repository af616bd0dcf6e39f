"""Headless Chromium, driven over its DevTools protocol: opens pages and looks at them, and presses no key.

async with browser(tmp_path) as chromium:
    page = await chromium.open("http://127.0.0.1:8080/")
    await until(page.text, lambda text: "Hello" in text)
"""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.support.system import until

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",  # root may not run it otherwise; the pages are our own
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
)
_STARTS_WITHIN = 60.0
"""Wall seconds; a cold start on a busy machine takes 10."""
_ANSWERS_WITHIN = 30.0


class Browser:
    """A running Chromium. One connection carries all pages, told apart by their sessions."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._pages: dict[str, Page] = {}

    async def open(self, url: str) -> Page:
        target = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        page = self._pages[attached["sessionId"]] = Page(self, attached["sessionId"])
        for domain in ("Page", "Network", "Runtime"):
            await page.call(f"{domain}.enable")
        await page.call("Page.navigate", url=url)
        return page

    async def call(self, method: str, session: str = "", **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        order = {"id": number, "method": method, "params": params, **({"sessionId": session} if session else {})}
        await self._connection.send(json.dumps(order))
        told = await asyncio.wait_for(answer, _ANSWERS_WITHIN)
        if "error" in told:
            raise AssertionError(f"Chromium refuses {method}: {told['error']}")
        return dict(told["result"])

    async def listen(self) -> None:
        async for text in self._connection:
            told = json.loads(text)
            if "id" in told:
                self._waiting.pop(told["id"]).set_result(told)
            elif page := self._pages.get(told.get("sessionId", "")):
                page.hear(told["method"], told["params"])


class Page:
    """A tab."""

    def __init__(self, chromium: Browser, session: str) -> None:
        self._chromium = chromium
        self._session = session
        self.loaded: list[str] = []
        """The address of each document it has loaded, oldest first."""
        self.sockets: list[str] = []
        """The address of each WebSocket it has opened."""
        self.received: list[dict[str, Any]] = []
        """The messages that came on them."""
        self.failed: list[str] = []
        """What it could not load, and what it threw."""

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        return await self._chromium.call(method, self._session, **params)

    async def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression; None while there is no document to ask."""
        try:
            told = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        except AssertionError:
            return None
        return told["result"].get("value")

    async def text(self) -> str:
        """What is to be read on it now."""
        return str(await self.evaluate("document.body ? document.body.innerText : ''") or "")

    def hear(self, method: str, params: dict[str, Any]) -> None:
        if method == "Page.frameNavigated" and "parentId" not in params["frame"]:
            if params["frame"]["url"] != "about:blank":
                self.loaded.append(params["frame"]["url"])
        elif method == "Network.webSocketCreated":
            self.sockets.append(params["url"])
        elif method == "Network.webSocketFrameReceived":
            self.received.append(json.loads(params["response"]["payloadData"]))
        elif method == "Network.responseReceived" and params["response"]["status"] >= 400:
            self.failed.append(f"{params['response']['status']} {params['response']['url']}")
        elif method == "Runtime.exceptionThrown":
            self.failed.append(str(params["exceptionDetails"].get("exception", params["exceptionDetails"])))


@asynccontextmanager
async def browser(folder: Path, *flags: str) -> AsyncIterator[Browser]:
    """Chromium with a new profile and further flags; the test fails where it is not installed."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        pytest.fail(f"there is no browser on PATH ({', '.join(_NAMES)}): install one, for example apt install chromium")
    profile = folder / "profile"
    with (folder / "chromium.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            program, *_FLAGS, *flags, f"--user-data-dir={profile}", "about:blank", stdout=log, stderr=log
        )
    try:
        port_file = profile / "DevToolsActivePort"
        said = await until(
            lambda: port_file.read_text() if port_file.exists() else "",
            lambda text: len(text.splitlines()) > 1,
            within=_STARTS_WITHIN,
        )
        port, path = said.splitlines()[:2]
        async with connect(f"ws://127.0.0.1:{port}{path}", max_size=None, compression=None, proxy=None) as connection:
            chromium = Browser(connection)
            listening = asyncio.create_task(chromium.listen())
            try:
                yield chromium
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
