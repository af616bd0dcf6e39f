"""A request under way for as long as its client wants, against a small server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from tests.support.kit import a_context
from webordinary_testkit.kit.core.clock import Clock
from webordinary_testkit.kit.core.errors import CheckFailed
from webordinary_testkit.kit.harness.held_request import HeldRequests
from webordinary_testkit.kit.harness.http import Http, NoAnswer


@dataclass
class Server:
    url: str = ""
    arrived: int = 0
    read: list[str] = field(default_factory=list)
    broken: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.Response:
        self.arrived += 1
        reading = asyncio.ensure_future(request.read())
        breaking = asyncio.ensure_future(self.broken.wait())
        await asyncio.wait({reading, breaking}, return_when=asyncio.FIRST_COMPLETED)
        if self.broken.is_set():
            reading.cancel()
            return web.Response(status=502, text="broken")
        breaking.cancel()
        self.read.append((await reading).decode())
        return web.Response(text="done")


async def refuse(request: web.Request) -> None:
    """Answer before the body is asked for."""
    raise web.HTTPServiceUnavailable


@asynccontextmanager
async def served(*, refusing: bool = False) -> AsyncIterator[tuple[Server, HeldRequests]]:
    server = Server()
    app = web.Application()
    app.router.add_post("/", server.handle, expect_handler=refuse if refusing else None)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = "http://{}:{}/".format(*runner.addresses[0])
    clock = Clock()
    http = Http(clock)
    try:
        yield server, HeldRequests(a_context(clock=clock), http)
    finally:
        await http.close()
        await runner.cleanup()


async def test_a_request_is_at_its_target_and_has_no_answer_until_it_is_finished() -> None:
    async with served() as (server, requests), requests.post(server.url, {"a": 1}) as request:
        assert (server.arrived, server.read) == (1, [])
        await request.finish()
        answer = await request.answer(within=5)
    assert (answer.status, answer.body, server.read) == (200, "done", ['{"a": 1}'])


async def test_an_answer_may_come_although_the_request_is_not_finished() -> None:
    async with served() as (server, requests), requests.post(server.url, {"a": 1}) as request:
        server.broken.set()
        assert (await request.answer(within=5)).status == 502


async def test_a_request_that_is_answered_before_its_body_was_wanted_was_never_under_way() -> None:
    async with served(refusing=True) as (server, requests):
        with pytest.raises(CheckFailed, match="to be under way"):
            async with requests.post(server.url, {"a": 1}):
                raise AssertionError("it was not under way")


async def test_a_request_given_up_ends_its_connection() -> None:
    async with served() as (server, requests):
        async with requests.post(server.url, {"a": 1}) as request:
            assert request.answering is not None
        assert request.answering.cancelled()
        assert server.read == []


async def test_a_failed_connection_is_reported() -> None:
    async with served() as (_, requests):
        with pytest.raises(NoAnswer, match="had no answer: ClientConnectorError"):
            async with requests.post("http://127.0.0.1:1/", {}):
                raise AssertionError("it was not under way")
