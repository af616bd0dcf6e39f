"""Limits of a request, checked before memory is spent on it."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from xml.parsers import expat

from ..core.errors import AwsError
from ..core.nesting import DEEPEST, json_too_deep
from ..state.wire import HttpRequest

LARGEST_BODY = 256 << 20
"""Bytes. S3 accepts 5 GiB in one request, but a body lies in memory here."""
LARGEST_DECOMPRESSED = 64 << 20
"""Bytes of a gzipped body once it is decompressed."""
MOST_ELEMENTS = 100_000
"""Elements of an XML body. S3's largest, CompleteMultipartUpload with 10,000 parts, has 70,000."""
LARGEST_LINE = 64 << 10
"""Bytes of the request line and of each header; a page token is part of the line."""
LARGEST_HEADERS = 256 << 10
"""Bytes of all headers."""


def refusal(headers: Mapping[str, str]) -> tuple[int, str] | None:
    """HTTP status and reason for a request whose headers or announced body are too large."""
    size = sum(len(name) + len(value) for name, value in headers.items())
    if size > LARGEST_HEADERS:
        return 431, f"the headers have {size} bytes, at most {LARGEST_HEADERS} are accepted"
    announced = headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > LARGEST_BODY:
        return 413, f"the body has {announced} bytes, at most {LARGEST_BODY} are accepted"
    return None


def decompressed(request: HttpRequest) -> HttpRequest:
    """The request with its gzipped body decompressed. Raises `AwsError` for a damaged or too large one."""
    if request.headers.get("content-encoding", "").lower() != "gzip":
        return request
    decoder = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        body = decoder.decompress(request.body, LARGEST_DECOMPRESSED + 1)
    except zlib.error as error:
        raise AwsError("SerializationException", f"The body is not gzip: {error}.") from None
    if len(body) > LARGEST_DECOMPRESSED:
        raise AwsError(
            "RequestEntityTooLarge", f"The decompressed body has over {LARGEST_DECOMPRESSED} bytes.", status=413
        )
    if not decoder.eof:
        raise AwsError("SerializationException", "The gzipped body is cut off.")
    headers = {name: value for name, value in request.headers.items() if name != "content-encoding"}
    return replace(request, headers={**headers, "content-length": str(len(body))}, body=body)


def check_document(protocol: str, body: bytes) -> None:
    """Check a JSON or XML body before values are built of it. Raises `AwsError` for one nested deeper than `DEEPEST`,
    or of more than `MOST_ELEMENTS`; other protocols have no nested bodies."""
    if protocol in ("json", "rest-json") and json_too_deep(body):
        raise AwsError("SerializationException", f"The body is nested deeper than {DEEPEST} levels.")
    if protocol == "rest-xml" and body.count(b"<") > DEEPEST:
        _check_xml(body)


def _check_xml(body: bytes) -> None:
    depth = count = 0

    def begin(_: str, __: Any) -> None:
        nonlocal depth, count
        depth, count = depth + 1, count + 1
        if depth > DEEPEST or count > MOST_ELEMENTS:
            raise AwsError(
                "MalformedXML", f"The XML has over {MOST_ELEMENTS} elements, or is nested deeper than {DEEPEST} levels."
            )

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = begin, end
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise AwsError("MalformedXML", f"The XML you provided was not well-formed: {error}") from None
