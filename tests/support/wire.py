"""What boto3 really puts on the wire for a call, without a server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.utils import PRIORITY_ORDERED_SUPPORTED_PROTOCOLS as PREFERENCE

from tests.support.aws import SESSION
from webordinary_testkit.emulation.state.wire import HttpRequest


def sent_by_boto3(
    service: str,
    operation: str,
    params: dict[str, Any] | None = None,
    *,
    endpoint: str | None = "http://127.0.0.1:4566",
    **config: Any,
) -> HttpRequest:
    """The first request of `boto3.client(service).operation(**params)`."""
    client = SESSION.client(
        service,
        endpoint_url=endpoint,
        region_name="us-west-2",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}, **config),
    )
    seen: list[AWSPreparedRequest] = []

    def catch(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        seen.append(request)
        return AWSResponse(request.url, 500, {}, None)

    client.meta.events.register("before-send", catch)
    try:
        getattr(client, operation)(**(params or {}))
    except Exception:
        assert seen, "nothing was sent"
    return to_http_request(seen[0])


@contextmanager
def speaking(protocol: str) -> Iterator[None]:
    """boto3 clients made meanwhile prefer this protocol, as SDKs of other languages or versions do."""
    with mock.patch("botocore.model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS", (protocol, *PREFERENCE)):
        yield


def to_http_request(prepared: AWSPreparedRequest) -> HttpRequest:
    url = urlsplit(prepared.url)
    headers = {
        name.lower(): value.decode() if isinstance(value, bytes) else str(value)
        for name, value in prepared.headers.items()
    }
    headers.setdefault("host", url.netloc)
    body = prepared.body or b""
    if hasattr(body, "read"):
        body = body.read()
    return HttpRequest(
        prepared.method, url.path or "/", url.query, headers, body.encode() if isinstance(body, str) else bytes(body)
    )
