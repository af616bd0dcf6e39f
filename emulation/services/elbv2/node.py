"""A load balancer's ports on this machine: reserved at its creation, open while it has listeners."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from aiohttp import HttpVersion11, web

from ...core.addressing import LOOPBACK, Addressing, cannot_listen
from ...time.clock import Clock
from . import tls
from .headers import http_date
from .idle import IdleTimer
from .responses import SERVER, error_page
from .routing_table import Listener, LoadBalancer, RoutingTable

CLOSING = 0.1
"""Wall seconds that requests may take to finish when their listener is deleted; AWS aborts them too."""
LINGERING = 1.0
"""Wall seconds for reading the rest of an unwanted body, so that the client receives its response."""
MAX_LINE = 16 * 1024
MOST_HEADERS = 16 * 1024
"""More than fit into the limit of all headers: ELB has none for their number."""
"""Bytes of the request line and of each header; AWS answers 400 above."""


class Responder(Protocol):
    """Answers one request to a listener."""

    async def __call__(
        self, request: web.BaseRequest, listener_arn: str, port: int, ports: Mapping[int, int], /
    ) -> web.StreamResponse: ...


class ConnectionObserver(Protocol):
    """Counts client connections and malformed requests of a load balancer (its CloudWatch dimension)."""

    def connected(self, load_balancer: str) -> None: ...

    def disconnected(self, load_balancer: str) -> None: ...

    def malformed(self, load_balancer: str) -> None: ...


_TRIES = 20


def reserve(port: int = 0, address: str = LOOPBACK) -> socket.socket:
    """A bound socket that does not listen: it refuses connections and holds the port."""
    reserved = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind((address, port))
    except OSError:
        reserved.close()
        raise
    return reserved


def reserve_all(addresses: Iterable[str], port: int = 0) -> list[socket.socket]:
    """Reserve the same port at each address. Raises `OSError`."""
    first, *others = addresses
    for tries_left in reversed(range(_TRIES if port == 0 else 1)):
        held = [reserve(port, first)]
        try:
            held += [reserve(held[0].getsockname()[1], address) for address in others]
            return held
        except OSError:
            for each in held:
                each.close()
            if not tries_left:
                raise
    raise AssertionError("unreachable")


class ListenerPort:
    """One port at every address that the load balancer serves, and its HTTP server."""

    def __init__(self, addressing: Addressing, port: int = 0) -> None:
        self._addresses = tuple(addressing.addresses())
        try:
            self._sockets = reserve_all(self._addresses, port)
        except OSError as error:
            if not port:
                raise
            where = f"{' and '.join(self._addresses)}, port {port}"
            raise cannot_listen("the load balancer", where, "load_balancer_port", error) from error
        self.port: int = self._sockets[0].getsockname()[1]
        addressing.ports.add(self.port)
        self.listener_arn: str | None = None
        self.protocol: str | None = None
        self._servers: list[asyncio.Server] = []
        self._http: _Http | None = None

    async def open(self, listener: Listener, http: _Http, context: ssl.SSLContext | None) -> None:
        self.listener_arn, self.protocol, self._http = listener.arn, listener.protocol, http
        loop = asyncio.get_running_loop()
        for each in self._sockets:
            self._servers.append(await loop.create_server(http, sock=each, backlog=1024, ssl=context))

    async def close(self, *, keep_port: bool) -> None:
        """Stop listening; idle connections close at once."""
        self.listener_arn = self.protocol = None
        if not self._servers or self._http is None:
            if not keep_port:
                for each in self._sockets:
                    each.close()
            return
        servers, self._servers = self._servers, []
        http, self._http = self._http, None
        for server in servers:
            server.close()
        if keep_port:
            self._sockets = reserve_all(self._addresses, self.port)
        await http.shutdown(CLOSING)


class LoadBalancerNode:
    """The ports of one load balancer. The listener with the lowest port number gets the port of the DNS name."""

    def __init__(
        self,
        load_balancer: LoadBalancer,
        respond: Responder,
        observer: ConnectionObserver,
        clock: Clock,
        certificates: Path,
        *,
        addressing: Addressing | None = None,
    ) -> None:
        self._addressing = addressing or Addressing()
        self.main = ListenerPort(self._addressing, self._addressing.balancer_port())
        self._others: dict[str, ListenerPort] = {}
        self._load_balancer = load_balancer
        self._idle = load_balancer.idle_timeout
        self._respond = respond
        self._observer = observer
        self._clock = clock
        self._certificates = certificates
        self._ports: dict[int, int] = {}
        self._context: ssl.SSLContext | None = None

    @property
    def address(self) -> str:
        """The address for this machine and for tasks: `127.0.0.1:<port>` without containers."""
        return f"{self._addressing.shared_host}:{self.main.port}"

    @property
    def ports(self) -> Mapping[int, int]:
        """Listener port → port of this machine."""
        return self._ports

    async def apply(self, table: RoutingTable) -> None:
        """Open and close ports until they match the table's listeners."""
        self._idle = table.load_balancers[self._load_balancer.arn].idle_timeout
        listeners = table.listeners_of(self._load_balancer.arn)
        others = {listener.arn: listener for listener in listeners[1:]}
        for arn in [arn for arn in self._others if arn not in others]:
            await self._others.pop(arn).close(keep_port=False)
        await self._serve(self.main, listeners[0] if listeners else None)
        for arn, listener in others.items():
            if arn not in self._others:
                self._others[arn] = ListenerPort(self._addressing)
            await self._serve(self._others[arn], listener)
        self._ports = {listener.port: (self._others.get(listener.arn) or self.main).port for listener in listeners}

    async def close(self) -> None:
        await asyncio.gather(*(port.close(keep_port=False) for port in [self.main, *self._others.values()]))

    async def _serve(self, port: ListenerPort, listener: Listener | None) -> None:
        if listener is None:
            if port.listener_arn is not None:
                await port.close(keep_port=True)
            return
        if port.protocol == listener.protocol:
            port.listener_arn = listener.arn
            return
        if port.protocol is not None:
            await port.close(keep_port=True)
        await port.open(listener, self._http(port), self._tls() if listener.protocol == "HTTPS" else None)

    def _http(self, port: ListenerPort) -> _Http:
        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            if port.listener_arn is None:
                raise ConnectionError("The listener was deleted.")
            assert isinstance(request.protocol, _Connection)
            idle = request.protocol.idle
            idle.stop()
            try:
                return await self._respond(request, port.listener_arn, port.port, self._ports)
            finally:
                if request.transport is not None:
                    idle.start()

        def idle_timer(expired: Callable[[], object]) -> IdleTimer:
            return IdleTimer(self._clock, self._idle, expired)

        return _Http(handle, self._observer, self._load_balancer.dimension, idle_timer, self._clock)

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = tls.server_context(self._certificates / f"alb-{self._load_balancer.name}.pem", self._clock)
        return self._context


class _Http(web.Server):
    """aiohttp's server, with `_Connection` for its connections."""

    def __init__(
        self,
        handle: Any,
        observer: ConnectionObserver,
        load_balancer: str,
        idle_timer: Callable[[Callable[[], object]], IdleTimer],
        clock: Clock,
    ) -> None:
        super().__init__(handle, handler_cancellation=True)
        self._observer = observer
        self._load_balancer = load_balancer
        self._idle_timer = idle_timer
        self._clock = clock

    def __call__(self) -> web.RequestHandler:
        connection = _Connection(
            self,
            loop=self._loop,
            keepalive_timeout=_NEVER,
            access_log=_SILENT,
            auto_decompress=False,
            lingering_time=LINGERING,
            max_line_size=MAX_LINE,
            max_field_size=MAX_LINE,
            max_headers=MOST_HEADERS,
            logger=_SILENT,
        )
        connection.idle = self._idle_timer(connection.force_close)
        return connection

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        self._observer.connected(self._load_balancer)
        if isinstance(handler, _Connection):
            handler.idle.start()

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        self._observer.disconnected(self._load_balancer)
        if isinstance(handler, _Connection):
            handler.idle.stop()

    def malformed(self) -> str:
        """Count a malformed request. Returns the Date of its answer."""
        self._observer.malformed(self._load_balancer)
        return http_date(int(self._clock.now()))


_NEVER = 86_400.0
"""Wall seconds after which aiohttp closes an idle connection: an idle timer in AWS time does so earlier."""
_SILENT = logging.getLogger("emulation.elbv2.http")
"""aiohttp logs a stack trace for every malformed request."""
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False
_SILENT.setLevel(logging.CRITICAL)


class _Connection(web.RequestHandler):
    """One client connection; malformed requests get the load balancer's 400."""

    __slots__ = ("idle",)
    idle: IdleTimer
    """Closes it while no request is in progress."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        headers = {"Server": SERVER, "Content-Type": "text/html"}
        if isinstance(self._manager, _Http):
            headers["Date"] = self._manager.malformed()
        request._version = HttpVersion11  # aiohttp's 1.0 of requests that it cannot read
        response = web.Response(status=400, body=error_page(400), headers=headers)
        response.force_close()
        return response
