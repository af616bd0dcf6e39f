"""Foreign web pages in a real Chromium: forms, fetch, WebSockets and DNS rebinding get nowhere.

The cloud takes any access key here, so that only its checks of web pages protect it.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp import web

from tests.support.balancer import balancer, rule
from tests.support.browser import Page, browser
from tests.support.system import until
from tests.support.world import World, world

EVIL = "evil.example"
RESOLVE = f"--host-resolver-rules=MAP {EVIL} 127.0.0.1"
SIGNED = "/?X-Amz-Credential=a/20260101/us-west-2/sns/aws4_request"
FORM = "application/x-www-form-urlencoded"
CREATE = "Action=CreateTopic&Version=2010-03-31&Name="
BY_CLIENT = f"{CREATE}by-client"
PAGE = """
<!doctype html><title>attack</title><iframe name="sink"></iframe>
<form id="form" method="post" target="sink" action="%(aws)s%(signed)s">
  <input name="Action" value="CreateTopic"><input name="Version" value="2010-03-31"><input name="Name" value="by-form">
</form>
<script>
  const seen = [];
  const done = text => { seen.push(text); document.title = seen.join(" "); };
  document.getElementById("form").submit();
  document.querySelector("iframe").addEventListener("load", () => done("form"));
  fetch("%(aws)s%(signed)s", {method: "POST", mode: "no-cors", body: new URLSearchParams("%(create)sby-fetch")})
    .then(() => done("fetch"), () => done("fetch"));
  const socket = new WebSocket("%(socket)s");
  socket.onopen = () => done("socket-open");
  socket.onerror = () => done("socket-refused");
</script>
"""


@asynccontextmanager
async def attacker(**addresses: str) -> AsyncIterator[str]:
    """A web server of the attacker's; yields its URL under the attacker's name."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=PAGE % {"signed": SIGNED, "create": CREATE, **addresses}, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", page)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://{EVIL}:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


def created(w: World) -> int:
    """How many topics the cloud was made to create."""
    return sum(call.operation == "CreateTopic" for call in w.cloud.recorder.since(0))


async def title(page: Page) -> str:
    return str(await page.evaluate("document.title"))


async def test_a_foreign_page_creates_nothing_and_opens_no_socket(tmp_path: Path) -> None:
    async with world() as w, balancer() as lab:
        headers = {"Content-Type": FORM}  # the same request of a client that is no page
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(w.url + SIGNED, data=BY_CLIENT) as it,
        ):
            assert it.status == 200, await it.text()
        assert created(w) == 1

        group = lab.group()
        await lab.route(rule("/*", to=group))
        connected: list[str] = []

        async def echo(request: web.BaseRequest) -> web.StreamResponse:
            connected.append(request.path)
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            return socket

        lab.register(group, await lab.target(echo))
        socket = lab.url.replace("http://", "ws://") + "/ws"
        async with attacker(aws=w.url, socket=socket) as url, browser(tmp_path, RESOLVE) as chromium:
            page = await chromium.open(url)
            done = await until(lambda: title(page), lambda text: len(text.split()) == 3, within=20)
        assert sorted(done.split()) == ["fetch", "form", "socket-refused"]
        assert created(w) == 1
        assert connected == []


async def test_a_rebound_name_reads_nothing(tmp_path: Path) -> None:
    async with world() as w, balancer() as lab, browser(tmp_path, RESOLVE) as chromium:
        group = lab.group()
        await lab.route(rule("/*", to=group))

        async def secret(_: web.BaseRequest) -> web.StreamResponse:
            return web.Response(text="a client's page")

        lab.register(group, await lab.target(secret))
        assert (await lab.fetch("/"))[1] == "a client's page"
        for url in (f"{w.url}/_emulation/health", w.url, lab.url):
            page = await chromium.open(url.replace("127.0.0.1", EVIL))
            text = await until(page.text, bool, within=20)
            assert "is no name of this cloud" in text, json.dumps(text)
