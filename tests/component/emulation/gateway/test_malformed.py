"""Malformed requests get the service's own errors, and never a bare 500."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime

import aiohttp
import pytest
import pytest_asyncio

from tests.support.world import World, world
from webordinary_testkit.emulation.core.errors import AwsError

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


async def answered(cloud: World, body: bytes, headers: dict[str, str], method: str = "POST", path: str = "/") -> str:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, cloud.url + path, headers=headers, data=body) as answer,
    ):
        return f"{answer.status} {answer.content_type} {await answer.text()}"


@pytest.mark.parametrize(
    ("service", "target", "code"),
    [
        ("dynamodb", "DynamoDB_20120810.ListTables", "SerializationException"),
        ("sqs", "AmazonSQS.ListQueues", "SerializationException"),
        ("logs", "Logs_20140328.DescribeLogGroups", "SerializationException"),
    ],
)
async def test_a_body_that_is_not_json_is_a_serialisation_error(
    cloud: World, service: str, target: str, code: str
) -> None:
    headers = {**JSON, "X-Amz-Target": target, **signed(service)}
    text = await answered(cloud, b'{"Limit', headers)
    assert text.startswith("400") and code in text


async def test_an_answer_in_json_says_so(cloud: World) -> None:
    headers = {**JSON, "X-Amz-Target": "Logs_20140328.DescribeLogGroups", **signed("logs")}
    assert (await answered(cloud, b"{}", headers)).startswith("200 application/x-amz-json-1.1")


async def test_an_operation_that_does_not_exist_is_named_so(cloud: World) -> None:
    headers = {**JSON, "X-Amz-Target": "DynamoDB_20120810.FooBar", **signed("dynamodb")}
    text = await answered(cloud, b"{}", headers)
    assert text.startswith("400") and "UnknownOperationException" in text


async def test_an_error_in_xml_has_its_message_once(cloud: World) -> None:
    text = await answered(
        cloud, b"Action=GetTopicAttributes&TopicArn=arn:aws:sns:us-west-2:123456789012:nope", {**FORM, **signed("sns")}
    )
    assert text.startswith("404 text/xml") and "<Message>" in text and "<message>" not in text


async def test_sqs_errors_have_the_form_of_their_protocol(cloud: World) -> None:
    xml = await answered(cloud, b"Action=GetQueueUrl&QueueName=nope", {**FORM, **signed("sqs")})
    assert "<Code>AWS.SimpleQueueService.NonExistentQueue</Code>" in xml and "<Detail/>" in xml
    target = {**JSON, "X-Amz-Target": "AmazonSQS.CreateQueue", **signed("sqs")}
    unmodelled = await answered(cloud, b'{"QueueName": "a b"}', target)
    assert '"__type": "com.amazon.coral.service#InvalidParameterValueException"' in unmodelled


async def test_a_query_by_get_is_answered_in_xml(cloud: World) -> None:
    text = await answered(cloud, b"", signed("sqs"), "GET", "/?Action=ListQueues&Version=2012-11-05")
    assert text.startswith("200 text/xml <ListQueuesResponse")


async def test_a_fault_of_the_service_has_the_type_receiver(cloud: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def crash(*_: object) -> None:
        raise AwsError("InternalFailure", "x", status=500)

    monkeypatch.setattr(cloud.cloud.dispatch, "_forward", crash)
    assert "<Type>Receiver</Type>" in await answered(cloud, b"Action=ListTopics", {**FORM, **signed("sns")})


async def test_the_date_of_an_answer_is_this_machines(cloud: World) -> None:
    """JavaScript's SDK takes 5 minutes of difference for a wrong clock of its own, and repeats every error."""
    await cloud.ctx.clock.sleep(60)  # a second of the wall: AWS's time is then 59 s ahead
    async with aiohttp.ClientSession() as session, session.get(cloud.url, headers=signed("sns")) as answer:
        date = parsedate_to_datetime(answer.headers["Date"]).timestamp()
    assert abs(date - time.time()) < 3 < cloud.ctx.clock.now() - time.time()
