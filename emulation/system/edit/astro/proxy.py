"""Passes requests and sockets on to a dev server on this machine."""

from __future__ import annotations

import asyncio

import aiohttp
from aiohttp import web
from yarl import URL

from ...answers import Refused
from . import links

_HOP_BY_HOP = frozenset(
    ["connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "content-length", "accept-encoding"]
)
_CHUNK = 65_536
_ANSWERS_WITHIN = 60.0
"""Wall seconds in which a page must be rendered; its first rendering loads half of Astro."""
_OPENS_WITHIN = 10.0
"""Wall seconds for a dev server to take a socket."""
_CLOSE_TIMEOUT = 0.2
"""Wall seconds in which a browser may answer to a close."""


class Proxy:
    """One pool of connections to all dev servers; opened at the first request."""

    def __init__(self) -> None:
        self._opened: aiohttp.ClientSession | None = None

    async def status(self, port: int, path: str) -> int:
        """The status of a page, without its content. Raises OSError or TimeoutError."""
        async with self._session().get(_url(port, path, "")) as response:
            await response.read()
            return response.status

    async def page(
        self, request: web.Request, port: int, path: str, base: str, headers: dict[str, str]
    ) -> web.StreamResponse:
        """Answer with what the dev server has at `path`; `headers` are added. Raises `Refused` with 502."""
        sent = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
        url = _url(port, path, request.rel_url.raw_query_string)
        try:
            async with self._session().request(request.method, url, headers=sent, allow_redirects=False) as response:
                head = [(name, value) for name, value in response.headers.items() if name.lower() not in _HOP_BY_HOP]
                answer = web.StreamResponse(status=response.status, reason=response.reason)
                answer.headers.extend(head)
                answer.headers.update(headers)
                if response.content_type == "text/html":
                    body = links.below(base, await response.text(errors="replace")).encode()
                    answer.headers["Cache-Control"] = "no-store"
                    answer.content_length = len(body)
                    await answer.prepare(request)
                    await answer.write(body)
                else:
                    await answer.prepare(request)
                    async for chunk in response.content.iter_chunked(_CHUNK):
                        await answer.write(chunk)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Refused(502, f"The dev server did not answer: {error or 'it took too long'}") from None
        await answer.write_eof()
        return answer

    async def socket(
        self, request: web.Request, port: int, path: str, sockets: set[web.WebSocketResponse]
    ) -> web.WebSocketResponse:
        """Join a browser's socket and one to the dev server until either closes; it is in `sockets` meanwhile.

        Raises `Refused` with the status with which the dev server refuses it.
        """
        protocols = [word.strip() for word in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
        # Without its origin a browser's socket would be taken for that of a tool, which needs no token.
        kept = {name: request.headers[name] for name in ("Origin", "Host") if name in request.headers}
        url = _url(port, path, request.rel_url.raw_query_string)
        try:
            async with asyncio.timeout(_OPENS_WITHIN):
                inner = await self._session().ws_connect(url, protocols=protocols, headers=kept, max_msg_size=0)
        except aiohttp.WSServerHandshakeError as refused:
            raise Refused(refused.status, "The dev server refuses this socket: load the page anew") from None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Refused(502, f"The dev server does not take sockets: {error or 'it took too long'}") from None
        outer = web.WebSocketResponse(protocols=protocols, max_msg_size=0)
        async with inner:
            await outer.prepare(request)
            sockets.add(outer)
            ways = [asyncio.create_task(_passed_on(*way)) for way in ((outer, inner), (inner, outer))]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                sockets.discard(outer)
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
                await closed(outer)
        return outer

    async def close(self) -> None:
        if self._opened is not None:
            await self._opened.close()

    def _session(self) -> aiohttp.ClientSession:
        if self._opened is None:
            self._opened = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                timeout=aiohttp.ClientTimeout(total=_ANSWERS_WITHIN),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._opened


async def closed(socket: web.WebSocketResponse) -> None:
    """Close a browser's socket, without waiting long for it."""
    try:
        async with asyncio.timeout(_CLOSE_TIMEOUT):
            await socket.close(code=1001, message=b"going away")
    except (ConnectionError, TimeoutError, RuntimeError):
        pass


_Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


async def _passed_on(source: _Socket, drain: _Socket) -> None:
    async for message in source:
        if message.type is aiohttp.WSMsgType.TEXT:
            await drain.send_str(message.data)
        elif message.type is aiohttp.WSMsgType.BINARY:
            await drain.send_bytes(message.data)


def _url(port: int, path: str, query: str) -> URL:
    return URL(f"http://127.0.0.1:{port}{path}" + (f"?{query}" if query else ""), encoded=True)
