"""Runs the edit container."""

from __future__ import annotations

import asyncio
import socket

from aiohttp import web

from ..answers import json_errors, serve
from . import api, pages
from .config import Settings
from .container import Container


def application(container: Container) -> web.Application:
    app = web.Application(middlewares=[json_errors("webordinary-edit")], client_max_size=2 * 2**20)
    app.add_routes([*api.routes(container), *pages.routes(container)])
    return app


async def run(settings: Settings, listening: socket.socket, stop: asyncio.Event) -> None:
    """Serve on a socket until `stop` is set."""
    container = Container(settings)
    container.start()
    runner = await serve(application(container), listening, grace=1.0)
    container.start_background()
    await stop.wait()
    await container.stop()
    await runner.cleanup()
    await container.close()
