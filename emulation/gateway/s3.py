"""Turns S3's virtual-host addressing into path style."""

from __future__ import annotations

import re
from dataclasses import replace

from ..state.wire import HttpRequest

_BASE_HOST = r"(?:s3[a-z0-9.-]*\.amazonaws\.com|(?:s3\.)?localhost(?:\.localstack\.cloud)?)"
_WITH_BUCKET = re.compile(rf"(?P<bucket>.+?)\.(?P<base>{_BASE_HOST}(?::\d+)?)")
_WITHOUT_BUCKET = re.compile(rf"{_BASE_HOST}(?::\d+)?")


def addresses_a_bucket(host: str) -> bool:
    """Whether a Host header names a bucket: `bucket.s3.us-west-2.amazonaws.com`, `bucket.localhost:4566`."""
    return _WITHOUT_BUCKET.fullmatch(host) is None and _WITH_BUCKET.fullmatch(host) is not None


def path_style(request: HttpRequest) -> HttpRequest:
    """The same request with the bucket in its path."""
    host = request.headers.get("host", "")
    if not addresses_a_bucket(host):
        return request
    match = _WITH_BUCKET.fullmatch(host)
    assert match is not None
    path = f"/{match['bucket']}{request.path}"
    return replace(request, path=path, headers={**request.headers, "host": match["base"]})
