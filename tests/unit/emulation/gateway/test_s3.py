"""Virtual hosts and path style."""

from __future__ import annotations

import pytest

from webordinary_testkit.emulation.gateway.s3 import path_style
from webordinary_testkit.emulation.state.wire import HttpRequest


@pytest.mark.parametrize(
    ("host", "bucket", "base"),
    [
        ("bkt.localhost:4566", "bkt", "localhost:4566"),
        ("bkt.s3.localhost", "bkt", "s3.localhost"),
        ("bkt.s3.us-west-2.amazonaws.com", "bkt", "s3.us-west-2.amazonaws.com"),
        ("my.bkt.s3.amazonaws.com", "my.bkt", "s3.amazonaws.com"),
        ("bkt.s3.localhost.localstack.cloud:4566", "bkt", "s3.localhost.localstack.cloud:4566"),
    ],
)
def test_the_bucket_moves_into_the_path(host: str, bucket: str, base: str) -> None:
    request = path_style(HttpRequest("GET", "/a%20b", "x=1", {"host": host}))

    assert (request.path, request.headers["host"], request.query) == (f"/{bucket}/a%20b", base, "x=1")


@pytest.mark.parametrize(
    "host", ["127.0.0.1:4566", "localhost:4566", "s3.localhost", "s3.us-west-2.amazonaws.com", "s3.amazonaws.com", ""]
)
def test_a_host_without_a_bucket_is_left_alone(host: str) -> None:
    request = HttpRequest("GET", "/bkt/k", "", {"host": host})

    assert path_style(request) is request
