"""Answers the load balancer gives itself, and how any answer goes out.

Answers are written straight to aiohttp's stream writer: its response classes would add a Server and a
Date header of their own to what a target said.
"""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import HttpVersion11, web
from multidict import CIMultiDict

from .transaction import Exchange
from .headers import http_date

SERVER = "awselb/2.0"
NO_BODY = (204, 304)

_PHRASES = {
    405: "Not Allowed",
    408: "Request Time-out",
    460: "Client Closed Request",
    463: "",
    503: "Service Temporarily Unavailable",
    504: "Gateway Time-out",
}
"""Where the load balancer's phrase is not the standard one."""


class Sent(web.StreamResponse):
    """Tells aiohttp that the answer has gone out already."""

    def __init__(self, status: int, *, keep_alive: bool) -> None:
        super().__init__(status=status)
        self._keep = keep_alive

    @property
    def keep_alive(self) -> bool:
        return self._keep

    async def prepare(self, request: web.BaseRequest) -> None:
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        return None


def phrase(status: int) -> str:
    if status in _PHRASES:
        return _PHRASES[status]
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def page(status: int) -> bytes:
    """The HTML page that AWS sends with an error or a redirect."""
    title = f"{status} {phrase(status)}".strip()
    return (
        f"<html>\r\n<head><title>{title}</title></head>\r\n"
        f"<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    ).encode()


async def send_page(exchange: Exchange, status: int, now: float, location: str | None = None) -> web.StreamResponse:
    return await send(exchange, status, "text/html", page(status), now, location=location)


async def send(
    exchange: Exchange, status: int, content_type: str, body: bytes, now: float, *, location: str | None = None
) -> web.StreamResponse:
    """Send an answer that the load balancer itself has made."""
    headers = CIMultiDict[str]()
    headers["Server"] = SERVER
    headers["Date"] = http_date(int(now))
    headers["Content-Type"] = content_type
    headers["Content-Length"] = str(len(body))
    if location is not None:
        headers["Location"] = location
    for value in exchange.set_cookies:
        headers.add("Set-Cookie", value)
    keep_alive = begin_headers(exchange, headers)
    writer = exchange.request.writer
    await writer.write_headers(f"HTTP/1.1 {status} {phrase(status)}", headers)
    exchange.status = status
    await writer.write_eof(b"" if exchange.request.method == "HEAD" else body)
    return finished(exchange, keep_alive)


def begin_headers(exchange: Exchange, headers: CIMultiDict[str]) -> bool:
    """Say in the headers whether the connection stays open; returns it."""
    request = exchange.request
    keep_alive = bool(request.keep_alive) and not _body_is_held_back(request)
    headers["Connection"] = "keep-alive" if keep_alive else "close"
    return keep_alive


def _body_is_held_back(request: web.BaseRequest) -> bool:
    """A client that waits for `100 Continue` and gets a final answer may or may not send its body:
    nothing after it on this connection could be told apart."""
    return "Expect" in request.headers and not request.content.is_eof()


def finished(exchange: Exchange, keep_alive: bool) -> web.StreamResponse:
    exchange.sent += exchange.request.writer.output_size
    return Sent(exchange.status, keep_alive=keep_alive)


def is_http_11(request: web.BaseRequest) -> bool:
    return bool(request.version >= HttpVersion11)
