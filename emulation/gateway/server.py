"""The HTTP server for SDKs, the AWS CLI and tasks."""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web
from aiohttp.typedefs import Handler

from ..core import browser
from ..core.addressing import LOOPBACK, Addressing, cannot_listen
from ..core.errors import AwsError
from ..state.wire import HttpRequest, HttpResponse
from . import limits
from .admin import Admin
from .dispatch import Dispatch
from .intercept import CutOff


class Gateway:
    """Listens on 127.0.0.1, and on the bridge of the run's containers."""

    def __init__(
        self, dispatch: Dispatch, admin: Admin, *, port: int = 0, addressing: Addressing | None = None
    ) -> None:
        self._addressing = addressing or Addressing()
        self._dispatch = dispatch
        self._admin = admin
        self._port = port
        self._runner: web.AppRunner | None = None

    @property
    def host(self) -> str:
        """`address:port` in answers, valid inside and outside of containers; known once it listens."""
        return f"{self._addressing.shared_host}:{self._port}"

    @property
    def url(self) -> str:
        """For programs of this machine."""
        return f"http://{LOOPBACK}:{self._port}"

    async def start(self, routes: Iterable[web.RouteDef] = ()) -> None:
        """Listen. `routes` are raw aiohttp routes with precedence over AWS, such as ECS Exec's data channel; a route
        named `service.Operation` is recorded as that call. Raises OSError when the port is taken."""
        app = web.Application(client_max_size=limits.LARGEST_BODY, middlewares=[self._admitted, self._recorded])
        app.add_routes([*self._dispatch.changes.routes(), *self._admin.routes()])
        app.add_routes(routes)
        app.router.add_route("*", "/{path:.*}", self._answer)
        # A gzipped S3 object must arrive unchanged, so nothing is decompressed.
        # Handlers are cancelled when their client hangs up: `Dispatch` decides which calls that ends.
        self._runner = web.AppRunner(
            app,
            access_log=None,
            auto_decompress=False,
            handler_cancellation=True,
            shutdown_timeout=0.2,
            max_line_size=limits.LARGEST_LINE,
            max_field_size=limits.LARGEST_LINE,
        )
        await self._runner.setup()
        self._port = await self._listen(LOOPBACK)
        self._addressing.ports.add(self._port)

    async def listen_on_bridge(self) -> None:
        """Listen on the containers' bridge too, on the same port. Raises OSError when it is taken there."""
        if self._addressing.bridge is not None:
            await self._listen(self._addressing.bridge)

    async def _listen(self, address: str) -> int:
        assert self._runner is not None
        site = web.TCPSite(self._runner, address, self._port)
        try:
            await site.start()
        except OSError as error:
            raise cannot_listen("the gateway", f"{address}:{self._port}", "port", error) from error
        return int(self._runner.addresses[-1][1])

    async def stop(self) -> None:
        """Stop, and abandon calls in progress after 0.2 s."""
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _admitted(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse what a web page may have sent, and the admin API without its token."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        if too_large := limits.refusal(headers):
            status, reason = too_large
            response = web.json_response({"error": reason}, status=status)
            response.force_close()  # the body is not read
            return response
        reason = browser.refusal(headers, self._addressing.names) or self._admin.refusal(request)
        if reason:
            return web.json_response({"error": reason}, status=403)
        return await handler(request)

    @web.middleware
    async def _recorded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        service, _, operation = (request.match_info.route.name or "").partition(".")
        if operation:
            try:
                self._dispatch.opened(service, operation, _from_aiohttp(request, b""), dict(request.match_info))
            except AwsError as error:
                raise web.HTTPForbidden(text=f"{error.code}: {error}") from error
        return await handler(request)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        try:
            answer = await self._dispatch.answer(_from_aiohttp(request, await request.read()))
        except CutOff as cut:
            if cut.until is not None:
                await cut.until.wait()
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=503)  # the client is gone
        return _to_aiohttp(request.method, answer)


def _from_aiohttp(request: web.Request, body: bytes) -> HttpRequest:
    path, _, query = request.raw_path.partition("?")
    headers = {name.lower(): value for name, value in request.headers.items()}
    return HttpRequest(request.method, path, query, headers, body)


def _to_aiohttp(method: str, answer: HttpResponse) -> web.StreamResponse:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    length = headers.pop("content-length", None)
    headers.pop("transfer-encoding", None)
    # aiohttp adds the time of this machine. SDKs take AWS time for a wrong clock of theirs, and repeat every error.
    headers.pop("date", None)
    if method == "HEAD" and length is not None:
        headers["content-length"] = length
    return web.Response(status=answer.status, headers=headers, body=answer.body)
