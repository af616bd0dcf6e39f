"""emulation/gateway/limits.py"""

from __future__ import annotations

import gzip
import zlib

import pytest

from webordinary_testkit.emulation.core.errors import AwsError
from webordinary_testkit.emulation.gateway import limits
from webordinary_testkit.emulation.gateway.limits import check_document, decompressed, refusal
from webordinary_testkit.emulation.state.wire import HttpRequest


def gzipped(body: bytes) -> HttpRequest:
    return HttpRequest("POST", "/", "", {"content-encoding": "gzip", "content-length": str(len(body))}, body)


def test_a_gzipped_body_is_decompressed() -> None:
    request = decompressed(gzipped(gzip.compress(b"Action=ListTopics")))
    assert (request.body, request.headers) == (b"Action=ListTopics", {"content-length": "17"})


def test_a_plain_body_is_untouched() -> None:
    request = HttpRequest("POST", "/", "", {"content-encoding": "aws-chunked"}, b"body")
    assert decompressed(request) is request


@pytest.mark.parametrize(
    "body", [b"", b"plain", gzip.compress(b"text", mtime=0)[:-6], gzip.compress(b"text", mtime=0)[:4]]
)
def test_a_damaged_body_is_refused(body: bytes) -> None:
    with pytest.raises(AwsError) as error:
        decompressed(gzipped(body))
    assert (error.value.code, error.value.status) == ("SerializationException", 400)


def test_a_gzip_bomb_is_refused_before_it_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LARGEST_DECOMPRESSED", 1000)
    compressor = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    bomb = compressor.compress(bytes(10_000_000)) + compressor.flush()
    with pytest.raises(AwsError) as error:
        decompressed(gzipped(bomb))
    assert error.value.status == 413


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-length": str(limits.LARGEST_BODY)}, None),
        ({"content-length": str(limits.LARGEST_BODY + 1)}, 413),
        ({"content-length": "many"}, None),
        ({f"x-{number}": "v" * 1000 for number in range(100)}, None),
        ({f"x-{number}": "v" * 1000 for number in range(300)}, 431),
    ],
)
def test_too_large_a_request_is_refused_by_its_headers(headers: dict[str, str], status: int | None) -> None:
    refused = refusal(headers)
    assert (refused and refused[0]) == status


@pytest.mark.parametrize(
    ("protocol", "body", "code"),
    [
        ("json", b'{"a": ' + b"[" * 100, "SerializationException"),
        ("rest-json", b'{"a":' * 101, "SerializationException"),
        ("json", b'{"a": ' + b"[" * 99 + b"]" * 99 + b"}", None),
        ("json", b'{"a": "' + b"[" * 1000 + b'"}', None),
        ("json", rb'{"a": "\"' + b"[" * 1000 + b'"}', None),
        ("json", b'{"a": [' + b"[]," * 1000 + b"1]}", None),
        ("rest-xml", b"<a>" * 101, "MalformedXML"),
        ("rest-xml", b"<a>" + b"<b/>" * 1000 + b"</a>", None),
        ("rest-xml", b"<a>" + b"<b/>" * limits.MOST_ELEMENTS + b"</a>", "MalformedXML"),
        ("rest-xml", b"<a>" + b"<b></a>" * 1000, "MalformedXML"),
        ("query", b"[" * 1000, None),
    ],
)
def test_a_document_nested_too_deep_is_refused_unread(protocol: str, body: bytes, code: str | None) -> None:
    seen = None
    try:
        check_document(protocol, body)
    except AwsError as error:
        seen = error.code
    assert seen == code
