"""A load balancer's ports on this machine: reserved when it is created, open while a listener is there."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

from ...core.addressing import LOOPBACK, Addressing, cannot_listen
from ...time.clock import Clock
from . import tls
from .responses import SERVER, page
from .routing_table import Listener, LoadBalancer, Table

CLOSING = 0.1
"""Wall seconds an exchange has to end when its listener is deleted; AWS breaks it off too."""
LINGERING = 1.0
"""Wall seconds in which the rest of a body nobody wants is still read, so that the client gets its answer."""
MAX_LINE = 16 * 1024
"""Bytes of a request line and of one header; AWS answers 400 above."""


class Answer(Protocol):
    """Answers one request that came in for a listener."""

    async def __call__(
        self, request: web.BaseRequest, listener_arn: str, port: int, ports: Mapping[int, int], /
    ) -> web.StreamResponse: ...


class Ear(Protocol):
    """Hears of connections and of what came over them that was no request."""

    def connected(self, load_balancer: str) -> None: ...

    def disconnected(self, load_balancer: str) -> None: ...

    def malformed(self, load_balancer: str) -> None: ...


_TRIES = 20


def reserve(port: int = 0, address: str = LOOPBACK) -> socket.socket:
    """A bound socket that does not listen: connecting is refused, and nobody else gets the port."""
    reserved = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind((address, port))
    except OSError:
        reserved.close()
        raise
    return reserved


def reserve_everywhere(addresses: Iterable[str], port: int = 0) -> list[socket.socket]:
    """The same port at each of these addresses. Raises OSError."""
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


class Door:
    """One port, at every address that has to be listened on, and the HTTP server on it."""

    def __init__(self, addressing: Addressing, port: int = 0) -> None:
        self._addresses = tuple(addressing.addresses())
        try:
            self._sockets = reserve_everywhere(self._addresses, port)
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
        """Stop listening; connections that have no request under way close at once."""
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
            self._sockets = reserve_everywhere(self._addresses, self.port)
        await http.shutdown(CLOSING)


class Node:
    """One load balancer's doors: the listener with the lowest port has the door that the load
    balancer's DNS name tells, every other listener one of its own."""

    def __init__(
        self,
        load_balancer: LoadBalancer,
        answer: Answer,
        ear: Ear,
        clock: Clock,
        certificates: Path,
        *,
        addressing: Addressing | None = None,
    ) -> None:
        self._addressing = addressing or Addressing()
        self.main = Door(self._addressing, self._addressing.balancer_port())
        self._others: dict[str, Door] = {}
        self._arn = load_balancer.arn
        self._name = load_balancer.name
        self._dimension = load_balancer.dimension
        self._idle = clock.wall(load_balancer.idle_timeout)
        self._answer = answer
        self._ear = ear
        self._clock = clock
        self._certificates = certificates
        self._ports: dict[int, int] = {}
        self._context: ssl.SSLContext | None = None

    @property
    def address(self) -> str:
        """Where this machine and tasks alike reach the load balancer: `127.0.0.1:<port>` without containers."""
        return f"{self._addressing.shared_host}:{self.main.port}"

    @property
    def ports(self) -> Mapping[int, int]:
        """Declared listener port → port of this machine."""
        return self._ports

    async def follow(self, table: Table) -> None:
        """Open and close doors until they are the listeners of the table."""
        self._idle = self._clock.wall(table.load_balancers[self._arn].idle_timeout)
        listeners = table.listeners_of(self._arn)
        others = {listener.arn: listener for listener in listeners[1:]}
        for arn in [arn for arn in self._others if arn not in others]:
            await self._others.pop(arn).close(keep_port=False)
        await self._serve(self.main, listeners[0] if listeners else None)
        for arn, listener in others.items():
            await self._serve(self._others.get(arn) or self._others.setdefault(arn, Door(self._addressing)), listener)
        self._ports = {listener.port: (self._others.get(listener.arn) or self.main).port for listener in listeners}

    async def close(self) -> None:
        await asyncio.gather(*(door.close(keep_port=False) for door in [self.main, *self._others.values()]))

    async def _serve(self, door: Door, listener: Listener | None) -> None:
        if listener is None:
            if door.listener_arn is not None:
                await door.close(keep_port=True)
            return
        if door.protocol == listener.protocol:
            door.listener_arn = listener.arn
            return
        if door.protocol is not None:
            await door.close(keep_port=True)
        await door.open(listener, self._http(door), self._tls() if listener.protocol == "HTTPS" else None)

    def _http(self, door: Door) -> _Http:
        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            if door.listener_arn is None:
                raise ConnectionError("The listener was deleted.")
            return await self._answer(request, door.listener_arn, door.port, self._ports)

        return _Http(handle, self._ear, self._dimension, lambda: self._idle)

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = tls.server_context(self._certificates / f"alb-{self._name}.pem", self._clock)
        return self._context


class _Http(web.Server):
    """aiohttp's server with our connections."""

    def __init__(self, handle: Any, ear: Ear, load_balancer: str, keep_alive: Callable[[], float]) -> None:
        super().__init__(handle, handler_cancellation=True)
        self._ear = ear
        self._load_balancer = load_balancer
        self._keep_alive = keep_alive

    def __call__(self) -> web.RequestHandler:
        return _Connection(
            self,
            loop=self._loop,
            keepalive_timeout=self._keep_alive(),
            access_log=_SILENT,
            auto_decompress=False,
            lingering_time=LINGERING,
            max_line_size=MAX_LINE,
            max_field_size=MAX_LINE,
            logger=_SILENT,
        )

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        self._ear.connected(self._load_balancer)

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        self._ear.disconnected(self._load_balancer)

    def malformed(self) -> None:
        self._ear.malformed(self._load_balancer)


_SILENT = logging.getLogger("emulation.elbv2.http")
"""aiohttp logs a stack trace for every client that sends rubbish."""
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False
_SILENT.setLevel(logging.CRITICAL)


class _Connection(web.RequestHandler):
    """One client connection; what is no HTTP gets the load balancer's own 400."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if isinstance(self._manager, _Http):
            self._manager.malformed()
        response = web.Response(status=400, body=page(400), headers={"Server": SERVER, "Content-Type": "text/html"})
        response.force_close()
        return response
