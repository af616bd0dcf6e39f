"""The one loopback port where SDKs, the AWS CLI and tasks reach the cloud."""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from emulation.base.wire import HttpRequest, HttpResponse
from emulation.gateway.admin import Admin
from emulation.gateway.dispatch import Dispatch

LARGEST_BODY = 1 << 30
"""Bytes; an S3 object put in one request may be 5 GiB on AWS, which nobody tests on a laptop."""


class Gateway:
    """Listens on 127.0.0.1. `routes` are raw aiohttp routes that come before AWS (ECS Exec's data channel)."""

    def __init__(self, dispatch: Dispatch, admin: Admin, routes: Iterable[web.RouteDef] = (), *, port: int = 0) -> None:
        self._dispatch = dispatch
        self._port = port
        self._runner: web.AppRunner | None = None
        self._app = web.Application(client_max_size=LARGEST_BODY)
        self._app.add_routes(admin.routes())
        self._app.add_routes(routes)
        self._app.router.add_route("*", "/{path:.*}", self._answer)

    @property
    def port(self) -> int:
        return self._port

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        # A gzipped S3 object must arrive as it was sent, so nothing is decompressed on the way.
        self._runner = web.AppRunner(self._app, access_log=None, auto_decompress=False, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        headers = {name.lower(): value for name, value in request.headers.items()}
        answer = await self._dispatch.answer(HttpRequest(request.method, path, query, headers, await request.read()))
        return _to_aiohttp(request.method, answer)


def _to_aiohttp(method: str, answer: HttpResponse) -> web.StreamResponse:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    length = headers.pop("content-length", None)
    headers.pop("transfer-encoding", None)
    if method == "HEAD" and length is not None:
        headers["content-length"] = length
    return web.Response(status=answer.status, headers=headers, body=answer.body)
