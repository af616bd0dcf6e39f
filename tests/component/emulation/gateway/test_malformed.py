"""Malformed requests get the service's own errors, and never a bare 500."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from tests.support.world import World, world

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def cloud() -> AsyncIterator[World]:
    async with world() as made:
        yield made


def signed(service: str) -> dict[str, str]:
    scope = f"Credential=a/20260101/us-west-2/{service}/aws4_request"
    return {"Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=a"}


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.ListTables"}
POLICY = "%7B%22a%22:" * 2000 + "1" + "%7D" * 2000
"""A document in a parameter: `{"a":{"a":…`."""
DEEP = b'{"Limit": ' + b"[" * 3000 + b"]" * 3000 + b"}"
REQUESTS = [
    ("POST", "/?X-Amz-Credential=", {}, b""),
    ("POST", "/", {**FORM, **signed("sns")}, b"Action=\xff"),
    ("POST", "/", {**FORM, **signed("monitoring"), "Content-Encoding": "gzip"}, b"Action=ListMetrics"),
    ("POST", "/", {**FORM, **signed("monitoring"), "Content-Encoding": "gzip"}, gzip.compress(b"Action=x" * 99)[:-9]),
    ("POST", "/", {**JSON, **signed("dynamodb")}, b'{"Limit": 1e999}'),
    ("POST", "/", {**JSON, **signed("dynamodb")}, DEEP),
    ("POST", "/", {**JSON, **signed("dynamodb")}, b"\xff\xfe"),
    ("PUT", "/bucket?tagging", signed("s3"), b'<!DOCTYPE a [<!ENTITY b "c">]><Tagging>&b;</Tagging>'),
    ("PUT", "/bucket?tagging", signed("s3"), b"<Tagging"),
    ("PUT", "/bucket?tagging", signed("s3"), b"<a>" * 2000 + b"</a>" * 2000),
    ("POST", "/2015-02-01/file-systems", signed("elasticfilesystem"), b"[" * 2000),
    (
        "POST",
        "/",
        {**FORM, **signed("sns")},
        f"Action=CreateTopic&Name=t&Attributes.entry.1.key=Policy&Attributes.entry.1.value={POLICY}".encode(),
    ),
    (
        "POST",
        "/",
        {**FORM, **signed("monitoring")},
        f"Action=PutDashboard&DashboardName=d&DashboardBody={POLICY}".encode(),
    ),
    ("GET", "/_emulation/calls?since=" + "9" * 400, {"Authorization": "Bearer test"}, b""),
]


@pytest.mark.parametrize(("method", "path", "headers", "body"), REQUESTS, ids=range(len(REQUESTS)))
async def test_a_malformed_request_is_the_clients_error(
    cloud: World, method: str, path: str, headers: dict[str, str], body: bytes
) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, cloud.url + path, headers=headers, data=body) as answer,
    ):
        text = await answer.text()
        assert 400 <= answer.status < 500, text


async def test_a_gzipped_query_is_read(cloud: World) -> None:
    headers = {**FORM, **signed("monitoring"), "Content-Encoding": "gzip"}
    body = gzip.compress(b"Action=ListMetrics&Version=2010-08-01")
    async with (
        aiohttp.ClientSession() as session,
        session.post(cloud.url, headers=headers, data=body) as answer,
    ):
        assert answer.status == 200, await answer.text()


async def test_a_long_page_token_fits_the_request_line(cloud: World) -> None:
    url = f"{cloud.url}/bucket?list-type=2&continuation-token={'x' * 20_000}"
    async with aiohttp.ClientSession() as session, session.get(url, headers=signed("s3")) as answer:
        assert "<Code>NoSuchBucket</Code>" in await answer.text()


async def test_too_large_a_body_is_refused_unread(cloud: World) -> None:
    host, _, port = cloud.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"PUT /b/k HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: {1 << 30}\r\n\r\n".encode())
    answer = await asyncio.wait_for(reader.readuntil(b"\r\n"), 5)
    assert answer.startswith(b"HTTP/1.1 413")
    writer.close()


async def test_an_object_of_brackets_is_stored(cloud: World) -> None:
    client = cloud.client("s3")
    await asyncio.to_thread(
        client.create_bucket, Bucket="files", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    body = b"<a>" * 2000
    await asyncio.to_thread(client.put_object, Bucket="files", Key="deep.xml", Body=body)
    answer = await asyncio.to_thread(client.get_object, Bucket="files", Key="deep.xml")
    assert answer["Body"].read() == body
