"""Carries one request to its target and the answer back, bodies streamed both ways.

client --> aiohttp server --> forward --> aiohttp client (a pool per target) --> target
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable

import aiohttp
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from ...core.ids import Ids
from ...time.clock import Clock
from . import headers as passing
from .transaction import Exchange
from .links import Links
from .responses import NO_BODY, begin_headers, finished, is_http_11, send_page
from .routing_table import TargetGroup
from .targets import Target
from .tunnel import Tunnel

CONNECT_TIMEOUT = 10.0
"""AWS seconds: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html"""
BACKEND_KEEP_ALIVE = 60.0
"""AWS seconds an idle connection to a target is kept for reuse."""

Cookies = Callable[[CIMultiDictProxy[str]], Iterable[str]]


class Unanswered(Exception):
    """The target gave no usable answer; the client gets `status` instead."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Proxy:
    def __init__(self, clock: Clock, ids: Ids, links: Links, counted: Callable[[Exchange], None]) -> None:
        """`counted` is told of an upgraded connection when it opens: it may stay for hours."""
        self._clock = clock
        self._ids = ids
        self._links = links
        self._counted = counted
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def forward(
        self, exchange: Exchange, group: TargetGroup, target: Target, cookies: Cookies
    ) -> web.StreamResponse:
        """Send the request to the target and its answer to the client, or the status AWS gives when
        that fails: 502 no connection or a malformed answer, 504 too late, 408 the client stalled.
        `cookies` names the Set-Cookie values to add to an answer with those headers."""
        exchange.target = target
        exchange.group_arn = group.arn
        target.under_way.add(exchange)
        try:
            answer = await self._ask(exchange, group, target)
            try:
                exchange.set_cookies.extend(cookies(answer.headers))
                if answer.status == 101:
                    return await self._tunnel(exchange, answer)
                return await self._relay(exchange, answer)
            finally:
                answer.close()  # where the answer was read to its end, its connection is back in the pool already
        except Unanswered as failure:
            return await send_page(exchange, failure.status, self._clock.now())
        except asyncio.CancelledError:
            if not exchange.interrupted or exchange.task is None:
                raise
            exchange.task.uncancel()
            if exchange.status:
                return self._broken_off(exchange)
            return await send_page(exchange, 502, self._clock.now())
        finally:
            target.under_way.discard(exchange)

    async def _ask(self, exchange: Exchange, group: TargetGroup, target: Target) -> aiohttp.ClientResponse:
        request = exchange.request
        url = URL.build(
            scheme=group.protocol.lower(),
            host=target.id,
            port=target.port,
            path=exchange.path,
            query_string=exchange.query,
            encoded=True,
        )
        idle = self._clock.wall(exchange.load_balancer.idle_timeout)
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=self._clock.wall(self._clock.patience(CONNECT_TIMEOUT)), sock_read=idle
        )
        headers = self._request_headers(exchange)
        data: bytes | AsyncIterator[bytes] | None = None
        if request.body_exists:
            content = request.content
            if content.is_eof():
                data = content.read_nowait()
                exchange.received = len(data)
            else:
                data = self._body(exchange, idle)
        exchange.dispatched = self._clock.now()
        try:
            if not self._links.whole:
                async with asyncio.timeout(self._clock.wall(self._clock.patience(CONNECT_TIMEOUT))):
                    await self._links.reach(target.id, target.port)
            answer = await self._client().request(
                request.method, url, headers=headers, data=data, allow_redirects=False, timeout=timeout, ssl=False
            )
        except aiohttp.SocketTimeoutError:
            raise Unanswered(504) from None
        except TimeoutError:
            exchange.refused = True
            raise Unanswered(504) from None
        except (aiohttp.ClientConnectorError, ConnectionRefusedError):
            exchange.refused = True
            raise Unanswered(502) from None
        except (aiohttp.ClientError, OSError, ValueError):
            raise Unanswered(408 if exchange.stalled else 502) from None
        exchange.answered = self._clock.now()
        exchange.target_status = answer.status
        return answer

    def _request_headers(self, exchange: Exchange) -> CIMultiDict[str]:
        request, balancer = exchange.request, exchange.load_balancer
        headers = passing.without_hop_by_hop(request.headers)
        headers.popall("Expect", None)
        host, port = request.transport.get_extra_info("peername")[:2] if request.transport else ("", 0)
        passing.add_forwarded(
            headers,
            mode=balancer.forwarded_for,
            client=f"{host}:{port}" if balancer.client_port_forwarded else host,
            protocol=exchange.listener.protocol.lower(),
            port=exchange.port,
        )
        exchange.trace_id = passing.add_trace_id(headers, self._clock, self._ids)
        if _wants_websocket(request):
            headers["Connection"] = "Upgrade"
            headers["Upgrade"] = "websocket"
        return headers

    async def _body(self, exchange: Exchange, idle: float) -> AsyncIterator[bytes]:
        request = exchange.request
        if request.headers.get("Expect", "").lower() == "100-continue" and request.transport is not None:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        while True:
            try:
                async with asyncio.timeout(idle):
                    chunk = await request.content.readany()
            except TimeoutError:
                exchange.stalled = True
                raise aiohttp.ClientPayloadError("The client sent nothing for longer than the idle timeout.") from None
            if not chunk:
                return
            exchange.received += len(chunk)
            yield chunk

    async def _relay(self, exchange: Exchange, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        request, writer, content = exchange.request, exchange.request.writer, answer.content
        headers = passing.without_hop_by_hop(answer.headers)
        for value in exchange.set_cookies:
            headers.add("Set-Cookie", value)
        if "Date" not in headers:
            headers["Date"] = passing.http_date(int(self._clock.now()))
        has_body = request.method != "HEAD" and answer.status not in NO_BODY
        keep_alive = begin_headers(exchange, headers)
        if has_body and "Content-Length" not in headers:
            if is_http_11(request):
                headers["Transfer-Encoding"] = "chunked"
                writer.enable_chunking()
            else:
                keep_alive = False
                headers["Connection"] = "close"
        await writer.write_headers(f"HTTP/1.1 {answer.status} {answer.reason or ''}", headers)
        exchange.status = answer.status
        if not has_body:
            await writer.write_eof()
            return finished(exchange, keep_alive)
        try:
            if content.is_eof():
                await writer.write_eof(content.read_nowait())
                return finished(exchange, keep_alive)
            if first := content.read_nowait():
                await writer.write(first)
            else:
                writer.send_headers()
            while chunk := await content.readany():
                await writer.write(chunk)
            await writer.write_eof()
        except (aiohttp.ClientError, TimeoutError):
            return self._broken_off(exchange)
        return finished(exchange, keep_alive)

    async def _tunnel(self, exchange: Exchange, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        request, connection = exchange.request, answer.connection
        transport = request.transport
        wanted = _wants_websocket(request)
        if not wanted or transport is None or connection is None or connection.protocol is None:
            raise Unanswered(502)
        headers = answer.headers.copy()
        for value in exchange.set_cookies:
            headers.add("Set-Cookie", value)
        tunnel = Tunnel(self._clock.wall(exchange.load_balancer.idle_timeout))
        await request.writer.write_headers(f"HTTP/1.1 101 {answer.reason or 'Switching Protocols'}", headers)
        request.writer.send_headers()
        exchange.status = 101
        exchange.upgraded = True
        self._counted(exchange)
        request.protocol.keep_alive(False)
        request.protocol.set_parser(tunnel.client)  # type: ignore[arg-type]  # annotated for its own parser only
        connection.protocol.set_parser(tunnel.target, answer.content)
        assert connection.transport is not None
        tunnel.open(transport, connection.transport)
        try:
            await tunnel.closed
        finally:
            tunnel.close()
            exchange.received = tunnel.client.received
            exchange.sent = tunnel.target.received
        return finished(exchange, keep_alive=False)

    def _broken_off(self, exchange: Exchange) -> web.StreamResponse:
        """The answer cannot be finished: a closed connection is the only way left to say so."""
        exchange.request.protocol.force_close()
        return finished(exchange, keep_alive=False)

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=self._clock.wall(BACKEND_KEEP_ALIVE)),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent", "Content-Type"),
            )
        return self._session


def _wants_websocket(request: web.BaseRequest) -> bool:
    headers = request.headers
    return headers.get("Upgrade", "").lower() == "websocket" and "upgrade" in headers.get("Connection", "").lower()
