"""The one loopback port where SDKs, the AWS CLI and tasks reach the cloud."""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from emulation.base.wire import HttpRequest, HttpResponse
from emulation.gateway.admin import Admin
from emulation.gateway.dispatch import Dispatch
from emulation.gateway.intercept import CutOff

LARGEST_BODY = 1 << 30
"""Bytes; an S3 object put in one request may be 5 GiB on AWS, which nobody tests on a laptop."""


class Gateway:
    """Listens on 127.0.0.1 only."""

    def __init__(self, dispatch: Dispatch, admin: Admin, *, port: int = 0) -> None:
        self._dispatch = dispatch
        self._admin = admin
        self._port = port
        self._runner: web.AppRunner | None = None

    @property
    def host(self) -> str:
        """`address:port`, once it listens."""
        return f"127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    async def start(self, routes: Iterable[web.RouteDef] = ()) -> None:
        """Listen. `routes` are raw aiohttp routes that come before AWS, such as ECS Exec's data channel.
        Raises OSError when the port is taken."""
        app = web.Application(client_max_size=LARGEST_BODY)
        app.add_routes(self._admin.routes())
        app.add_routes(routes)
        app.router.add_route("*", "/{path:.*}", self._answer)
        # A gzipped S3 object must arrive as it was sent, so nothing is decompressed on the way.
        # Handlers learn that their client hung up: `Dispatch` decides whose end that is.
        self._runner = web.AppRunner(
            app, access_log=None, auto_decompress=False, handler_cancellation=True, shutdown_timeout=0.2
        )
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        except OSError as error:
            raise OSError(error.errno, f"the gateway cannot listen on {self.host}: {error.strerror}") from error
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Give up what is being answered after 0.2 s."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.read()
        try:
            answer = await self._dispatch.answer(HttpRequest(request.method, path, query, headers, body))
        except CutOff as cut:
            if cut.until is not None:
                await cut.until.wait()
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=503)  # read by nobody
        return _to_aiohttp(request.method, answer)


def _to_aiohttp(method: str, answer: HttpResponse) -> web.StreamResponse:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    length = headers.pop("content-length", None)
    headers.pop("transfer-encoding", None)
    if method == "HEAD" and length is not None:
        headers["content-length"] = length
    return web.Response(status=answer.status, headers=headers, body=answer.body)
