"""S3 at an endpoint: objects pass unchanged; times and addresses in headers and lists are translated."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate, parsedate_to_datetime

from .translation import Terms
from .wire import HttpRequest, HttpResponse

_CONDITIONS = ("if-modified-since", "if-unmodified-since", "x-amz-copy-source-if-modified-since",
               "x-amz-copy-source-if-unmodified-since")  # fmt: skip
_HOP_HEADERS = frozenset({"date", "server", "connection", "keep-alive", "transfer-encoding", "content-length"})
_TIMES = re.compile(rb"<(LastModified|CreationDate|Initiated)>([^<]+)</")
_OBJECTS = frozenset({"GetObject", "GetObjectTorrent", "SelectObjectContent"})


def out(request: HttpRequest, terms: Terms) -> HttpRequest:
    headers = dict(request.headers)
    for name in _CONDITIONS:
        if name in headers:
            headers[name] = _date(headers[name], terms.times.to_wall)
    return replace(request, headers=headers)


def back(operation: str, response: HttpResponse, terms: Terms) -> HttpResponse:
    dropped = _HOP_HEADERS - {"content-length"} if operation.startswith("Head") else _HOP_HEADERS
    headers = {name: value for name, value in response.headers.items() if name not in dropped}
    if "last-modified" in headers:
        headers["last-modified"] = _date(headers["last-modified"], terms.times.to_aws)
    if "location" in headers:
        headers["location"] = terms.text_back(headers["location"])
    body = response.body
    if operation not in _OBJECTS and body.lstrip().startswith(b"<"):
        body = _TIMES.sub(
            lambda hit: b"<%b>%b</" % (hit[1], terms.iso_back(hit[2].decode(errors="replace")).encode()), body
        )
        text = body.decode("utf-8", "surrogateescape")
        body = terms.text_back(text).encode("utf-8", "surrogateescape")
    return replace(response, headers=headers, body=body)


def _date(text: str, way: Callable[[float], float]) -> str:
    try:
        return formatdate(way(parsedate_to_datetime(text).timestamp()), usegmt=True)
    except (TypeError, ValueError, OverflowError):
        return text
