"""Forwards a request to its target and streams the response back.

client --> aiohttp server --> forward --> aiohttp client (a pool per target) --> target
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable

import aiohttp
from aiohttp import HttpVersion11, web
from multidict import CIMultiDict, CIMultiDictProxy

from ...core.ids import Ids
from ...time.clock import Clock
from .headers import add_forwarded, add_trace_id, http_date, in_one_spelling, without_hop_by_hop, without_invalid
from .idle import IdleTimeout
from .links import Links
from .responses import NO_BODY, begin_headers, finished, send_page
from .routing_table import TargetGroup
from .targets import Target
from .transaction import Transaction
from .tunnel import Tunnel

CONNECT_TIMEOUT = 10.0
"""AWS seconds, and wall seconds for the connection itself, which this machine makes or refuses at once:
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html"""
BACKEND_KEEP_ALIVE = 60.0
"""AWS seconds that an idle connection to a target stays open."""

Cookies = Callable[[CIMultiDictProxy[str]], Iterable[str]]


class TargetError(Exception):
    """The target sent no usable response; the client gets `status` instead."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Proxy:
    def __init__(self, clock: Clock, ids: Ids, links: Links, counted: Callable[[Transaction], None]) -> None:
        """`counted` is called when a connection is upgraded, because it may stay open for hours."""
        self._clock = clock
        self._ids = ids
        self._links = links
        self._counted = counted
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def forward(
        self, transaction: Transaction, group: TargetGroup, target: Target, cookies: Cookies
    ) -> web.StreamResponse:
        """Send the request to the target and its response to the client, or AWS's status for the failure: 502 for no
        connection or a malformed response, 504 for a timeout, 408 for a stalled client. `cookies` returns Set-Cookie
        values to add to a response with the given headers."""
        transaction.target = target
        transaction.group_arn = group.arn
        target.in_flight.add(transaction)
        try:
            answer = await self._ask(transaction, group, target)
            try:
                transaction.set_cookies.extend(cookies(answer.headers))
                if answer.status == 101:
                    return await self._tunnel(transaction, answer)
                return await self._relay(transaction, answer)
            finally:
                answer.close()  # no effect after a complete read: the connection is back in the pool
        except TargetError as failure:
            return await send_page(transaction, failure.status, self._clock.now())
        except asyncio.CancelledError:
            if not transaction.interrupted or transaction.task is None:
                raise
            transaction.task.uncancel()
            if transaction.status:
                return self._abort(transaction)
            return await send_page(transaction, 502, self._clock.now())
        finally:
            target.in_flight.discard(transaction)

    async def _ask(self, transaction: Transaction, group: TargetGroup, target: Target) -> aiohttp.ClientResponse:
        request = transaction.request
        url = target.url(group.protocol, transaction.path, transaction.query)
        idle = IdleTimeout(self._clock, transaction.load_balancer.idle_timeout)
        headers = self._request_headers(transaction)
        data: bytes | AsyncIterator[bytes] | None = None
        if request.body_exists:
            content = request.content
            if content.is_eof():
                data = content.read_nowait()
                transaction.received = len(data)
            else:
                data = self._body(transaction, idle)
        transaction.dispatched = self._clock.now()
        try:
            if not self._links.whole:
                async with self._clock.timeout(self._clock.patience(CONNECT_TIMEOUT)):
                    await self._links.reach(target.id, target.port)
            async with idle:
                answer = await self._client().request(
                    request.method, url, headers=headers, data=data, allow_redirects=False, ssl=False
                )
        except TimeoutError:
            transaction.refused = not idle.expired
            raise TargetError(408 if transaction.stalled else 504) from None
        except (aiohttp.ClientConnectorError, ConnectionRefusedError):
            transaction.refused = True
            raise TargetError(502) from None
        except (aiohttp.ClientError, OSError, ValueError):
            raise TargetError(502) from None
        transaction.answered = self._clock.now()
        transaction.target_status = answer.status
        return answer

    def _request_headers(self, transaction: Transaction) -> CIMultiDict[str]:
        request, balancer = transaction.request, transaction.load_balancer
        headers = in_one_spelling(without_hop_by_hop(request.headers))
        if balancer.drops_invalid_headers:
            headers = without_invalid(headers)
        headers.popall("Expect", None)
        host, port = request.transport.get_extra_info("peername")[:2] if request.transport else ("", 0)
        add_forwarded(
            headers,
            mode=balancer.forwarded_for,
            client=f"{host}:{port}" if balancer.client_port_forwarded else host,
            protocol=transaction.listener.protocol.lower(),
            port=transaction.port,
        )
        transaction.trace_id = add_trace_id(headers, self._clock, self._ids)
        if _wants_websocket(request):
            headers["Connection"] = "Upgrade"
            headers["Upgrade"] = "websocket"
        return headers

    async def _body(self, transaction: Transaction, idle: IdleTimeout) -> AsyncIterator[bytes]:
        request = transaction.request
        if request.headers.get("Expect", "").lower() == "100-continue" and request.transport is not None:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        while True:
            transaction.stalled = True
            chunk = await request.content.readany()
            transaction.stalled = False
            if not chunk:
                return
            idle.passed()
            transaction.received += len(chunk)
            yield chunk

    async def _relay(self, transaction: Transaction, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        request, writer, content = transaction.request, transaction.request.writer, answer.content
        headers = without_hop_by_hop(answer.headers)
        for value in transaction.set_cookies:
            headers.add("Set-Cookie", value)
        if "Date" not in headers:
            headers["Date"] = http_date(int(self._clock.now()))
        has_body = request.method != "HEAD" and answer.status not in NO_BODY
        keep_alive = begin_headers(transaction, headers)
        if has_body and "Content-Length" not in headers:
            if request.version >= HttpVersion11:
                headers["Transfer-Encoding"] = "chunked"
                writer.enable_chunking()
            else:
                keep_alive = False
                headers["Connection"] = "close"
        await writer.write_headers(f"HTTP/1.1 {answer.status} {answer.reason or ''}", headers)
        transaction.status = answer.status
        if not has_body:
            await writer.write_eof()
            return finished(transaction, keep_alive)
        try:
            if content.is_eof():
                await writer.write_eof(content.read_nowait())
                return finished(transaction, keep_alive)
            if first := content.read_nowait():
                await writer.write(first)
            else:
                writer.send_headers()
            async with IdleTimeout(self._clock, transaction.load_balancer.idle_timeout) as idle:
                while chunk := await content.readany():
                    await writer.write(chunk)
                    idle.passed()
            await writer.write_eof()
        except (aiohttp.ClientError, TimeoutError):
            return self._abort(transaction)
        return finished(transaction, keep_alive)

    async def _tunnel(self, transaction: Transaction, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        request, connection = transaction.request, answer.connection
        transport = request.transport
        wanted = _wants_websocket(request)
        if not wanted or transport is None or connection is None or connection.protocol is None:
            raise TargetError(502)
        headers = answer.headers.copy()
        for value in transaction.set_cookies:
            headers.add("Set-Cookie", value)
        tunnel = Tunnel(self._clock, transaction.load_balancer.idle_timeout)
        await request.writer.write_headers(f"HTTP/1.1 101 {answer.reason or 'Switching Protocols'}", headers)
        request.writer.send_headers()
        transaction.status = 101
        transaction.upgraded = True
        self._counted(transaction)
        request.protocol.keep_alive(False)
        request.protocol.set_parser(tunnel.client)  # type: ignore[arg-type]  # annotated for its own parser only
        connection.protocol.set_parser(tunnel.target, answer.content)
        assert connection.transport is not None
        tunnel.open(transport, connection.transport)
        try:
            await tunnel.closed
        finally:
            tunnel.close()
            transaction.received = tunnel.client.received
            transaction.sent = tunnel.target.received
        return finished(transaction, keep_alive=False)

    def _abort(self, transaction: Transaction) -> web.StreamResponse:
        """Abort a response that was begun: closing the connection is the only way to signal it."""
        transaction.request.protocol.force_close()
        return finished(transaction, keep_alive=False)

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=self._clock.wall(BACKEND_KEEP_ALIVE)),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent", "Content-Type"),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT),
            )
        return self._session


def _wants_websocket(request: web.BaseRequest) -> bool:
    headers = request.headers
    return headers.get("Upgrade", "").lower() == "websocket" and "upgrade" in headers.get("Connection", "").lower()
