"""Writes responses, among them those that the load balancer generates.

They go directly to aiohttp's stream writer: its response classes would add Server and Date headers to a target's.
"""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web
from multidict import CIMultiDict

from .headers import http_date
from .transaction import Transaction

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
"""Where the load balancer's phrase differs from the standard one."""


class SentResponse(web.StreamResponse):
    """Makes aiohttp send nothing more: the response was already written."""

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


def error_page(status: int) -> bytes:
    """The HTML page that AWS sends with an error or a redirect."""
    title = f"{status} {phrase(status)}".strip()
    return (
        f"<html>\r\n<head><title>{title}</title></head>\r\n"
        f"<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    ).encode()


async def send_page(
    transaction: Transaction, status: int, now: float, location: str | None = None
) -> web.StreamResponse:
    return await send(transaction, status, "text/html", error_page(status), now, location=location)


async def send(
    transaction: Transaction, status: int, content_type: str, body: bytes, now: float, *, location: str | None = None
) -> web.StreamResponse:
    """Send a response that the load balancer generates."""
    headers = CIMultiDict[str]()
    headers["Server"] = SERVER
    headers["Date"] = http_date(int(now))
    headers["Content-Type"] = content_type
    headers["Content-Length"] = str(len(body))
    if location is not None:
        headers["Location"] = location
    for value in transaction.set_cookies:
        headers.add("Set-Cookie", value)
    keep_alive = begin_headers(transaction, headers)
    writer = transaction.request.writer
    await writer.write_headers(f"HTTP/1.1 {status} {phrase(status)}", headers)
    transaction.status = status
    await writer.write_eof(b"" if transaction.request.method == "HEAD" else body)
    return finished(transaction, keep_alive)


def begin_headers(transaction: Transaction, headers: CIMultiDict[str]) -> bool:
    """Set the Connection header and return whether the connection stays open."""
    request = transaction.request
    keep_alive = bool(request.keep_alive) and not _body_is_held_back(request)
    headers["Connection"] = "keep-alive" if keep_alive else "close"
    return keep_alive


def _body_is_held_back(request: web.BaseRequest) -> bool:
    """Whether the client waits for `100 Continue`: after a final response it may or may not send its body, so the
    connection cannot be reused."""
    return "Expect" in request.headers and not request.content.is_eof()


def finished(transaction: Transaction, keep_alive: bool) -> web.StreamResponse:
    transaction.sent += transaction.request.writer.output_size
    return SentResponse(transaction.status, keep_alive=keep_alive)
