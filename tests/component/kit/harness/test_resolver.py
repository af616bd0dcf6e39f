"""Names as the harness reads them."""

from __future__ import annotations

import asyncio

from aiohttp import web

from webordinary_testkit.kit.core.clock import Clock
from webordinary_testkit.kit.harness.http import Http
from webordinary_testkit.kit.harness.resolver import THIS_MACHINE


async def test_what_containers_call_this_machine_is_read_here_as_well() -> None:
    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    application = web.Application()
    application.router.add_get("/", hello)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    http = Http(Clock())
    try:
        port = runner.addresses[0][1]
        answer = await asyncio.wait_for(http.get(f"http://{THIS_MACHINE}:{port}/"), 10)
    finally:
        await http.close()
        await runner.cleanup()
    assert answer.body == "hello"
