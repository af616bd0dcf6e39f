"""An endpoint as the base: a moto server of its own process, seen through the gateway."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from botocore.exceptions import ClientError

from tests.support.aws import SESSION
from tests.support.endpoint import moto_server, partial_endpoint
from tests.support.world import World, world
from webordinary_testkit.emulation.services.sqs import Sqs
from webordinary_testkit.emulation.wiring import LATE_DELIVERIES

SCALE = 60.0
ACCOUNT = "123456789012"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest_asyncio.fixture
async def w(endpoint: str) -> AsyncIterator[World]:
    reset = urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST")
    (await asyncio.to_thread(urllib.request.urlopen, reset)).close()
    async with world(lambda ctx: Sqs(ctx, LATE_DELIVERIES), base=endpoint, scale=SCALE) as made:
        yield made


def at(endpoint: str, service: str) -> Any:
    """A client of the endpoint itself, past the gateway."""
    keys = {"aws_access_key_id": "somebody", "aws_secret_access_key": "else"}
    return SESSION.client(service, endpoint_url=endpoint, region_name="us-west-2", **keys)


async def call(client: Any, operation: str, **params: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await asyncio.to_thread(getattr(client, operation), **params)
    return answer


def is_now(w: World, told: datetime | float, within: float = 180) -> bool:
    """Whether a time is AWS's now, give or take some AWS seconds."""
    seconds = told.timestamp() if isinstance(told, datetime) else told
    return abs(seconds - w.cloud.clock.now()) < within


async def test_state_is_in_the_endpoint_under_the_clouds_account_and_addresses_are_the_gateways(
    w: World, endpoint: str
) -> None:
    sqs = w.client("sqs")
    url = (await call(sqs, "create_queue", QueueName="orders"))["QueueUrl"]

    assert url == f"{w.url}/{ACCOUNT}/orders"
    assert (await call(sqs, "get_queue_url", QueueName="orders"))["QueueUrl"] == url
    assert (await call(sqs, "list_queues"))["QueueUrls"] == [url]
    assert (await call(at(endpoint, "sqs"), "list_queues"))["QueueUrls"] == [f"{endpoint}/{ACCOUNT}/orders"]


async def test_a_topic_delivers_to_a_queue_inside_the_endpoint_and_its_times_are_aws_times(w: World) -> None:
    sqs, sns = w.client("sqs"), w.client("sns")
    await asyncio.sleep(w.cloud.clock.wall(300))  # AWS time and the wall's are far enough apart to be told apart
    url = (await call(sqs, "create_queue", QueueName="inbox"))["QueueUrl"]
    topic = (await call(sns, "create_topic", Name="mails"))["TopicArn"]
    arn = f"arn:aws:sqs:us-west-2:{ACCOUNT}:inbox"
    await call(sns, "subscribe", TopicArn=topic, Protocol="sqs", Endpoint=arn)

    await call(sns, "publish", TopicArn=topic, Message="hällo")
    answer = await call(sqs, "receive_message", QueueUrl=url, WaitTimeSeconds=20, AttributeNames=["All"])

    (message,) = answer["Messages"]
    envelope = json.loads(message["Body"])
    assert (envelope["Message"], envelope["TopicArn"]) == ("hällo", topic)
    assert is_now(w, datetime.fromisoformat(envelope["Timestamp"]))
    assert is_now(w, int(message["Attributes"]["SentTimestamp"]) / 1000)


async def test_a_received_message_is_hidden_for_its_aws_seconds_whatever_the_endpoint_counts(w: World) -> None:
    sqs = w.client("sqs")
    attributes = {"VisibilityTimeout": "30"}
    url = (await call(sqs, "create_queue", QueueName="work", Attributes=attributes))["QueueUrl"]
    await call(sqs, "send_message", QueueUrl=url, MessageBody="1")
    (first,) = (await call(sqs, "receive_message", QueueUrl=url))["Messages"]
    received = w.cloud.clock.now()

    assert "Messages" not in await call(sqs, "receive_message", QueueUrl=url)
    (again,) = (await call(sqs, "receive_message", QueueUrl=url, WaitTimeSeconds=20)).get("Messages") or (
        await call(sqs, "receive_message", QueueUrl=url, WaitTimeSeconds=20)
    )["Messages"]

    assert again["MessageId"] == first["MessageId"]
    assert 30 - 2 <= w.cloud.clock.now() - received < 60, "a second of the endpoint's is 60 of AWS's"


async def test_visibility_can_be_changed_and_a_deleted_message_does_not_come_back(w: World) -> None:
    sqs = w.client("sqs")
    url = (await call(sqs, "create_queue", QueueName="work"))["QueueUrl"]
    await call(sqs, "send_message", QueueUrl=url, MessageBody="1")
    (one,) = (await call(sqs, "receive_message", QueueUrl=url))["Messages"]
    await call(sqs, "change_message_visibility", QueueUrl=url, ReceiptHandle=one["ReceiptHandle"], VisibilityTimeout=0)
    (two,) = (await call(sqs, "receive_message", QueueUrl=url))["Messages"]
    await call(sqs, "delete_message", QueueUrl=url, ReceiptHandle=two["ReceiptHandle"])

    await w.cloud.clock.sleep(31)
    assert "Messages" not in await call(sqs, "receive_message", QueueUrl=url)


async def test_messages_that_are_visible_again_are_counted_as_such(w: World) -> None:
    sqs = w.client("sqs")
    attributes = {"VisibilityTimeout": "10"}
    url = (await call(sqs, "create_queue", QueueName="work", Attributes=attributes))["QueueUrl"]
    await call(sqs, "send_message", QueueUrl=url, MessageBody="1")
    await call(sqs, "receive_message", QueueUrl=url)
    await w.cloud.clock.sleep(11)

    counts = await call(sqs, "get_queue_attributes", QueueUrl=url, AttributeNames=["All"])
    assert counts["Attributes"]["ApproximateNumberOfMessages"] == "1"
    assert counts["Attributes"]["ApproximateNumberOfMessagesNotVisible"] == "0"


async def test_a_delayed_message_comes_no_sooner_and_the_delay_is_told_as_it_was_declared(w: World) -> None:
    sqs = w.client("sqs")
    url = (await call(sqs, "create_queue", QueueName="later", Attributes={"DelaySeconds": "40"}))["QueueUrl"]
    told = await call(sqs, "get_queue_attributes", QueueUrl=url, AttributeNames=["DelaySeconds", "CreatedTimestamp"])
    assert told["Attributes"]["DelaySeconds"] == "40"
    assert is_now(w, int(told["Attributes"]["CreatedTimestamp"]))

    await call(sqs, "send_message", QueueUrl=url, MessageBody="1")
    sent = w.cloud.clock.now()
    while "Messages" not in await call(sqs, "receive_message", QueueUrl=url, WaitTimeSeconds=20):
        assert w.cloud.clock.now() - sent < 600
    assert 40 - 2 <= w.cloud.clock.now() - sent < 40 + 2.5 * SCALE


async def test_a_queue_that_was_there_before_the_cloud_is_used_as_it_is(w: World, endpoint: str) -> None:
    there = at(endpoint, "sqs")
    attributes = {"VisibilityTimeout": "0"}
    url = (await call(there, "create_queue", QueueName="old", Attributes=attributes))["QueueUrl"]
    await call(there, "send_message", QueueUrl=url, MessageBody="from before")

    ours = f"{w.url}/{ACCOUNT}/old"
    for _ in range(2):  # its own visibility timeout is none
        (message,) = (await call(w.client("sqs"), "receive_message", QueueUrl=ours))["Messages"]
        assert message["Body"] == "from before"


async def test_objects_pass_as_they_are_and_their_times_are_aws_times(w: World, endpoint: str) -> None:
    s3 = w.client("s3")
    await asyncio.sleep(w.cloud.clock.wall(300))
    where = {"LocationConstraint": "us-west-2"}
    await call(s3, "create_bucket", Bucket="bucket-one", CreateBucketConfiguration=where)
    key, body = "a b/ü+%.txt", f"see {endpoint}/{ACCOUNT} \0\xff".encode()
    await call(s3, "put_object", Bucket="bucket-one", Key=key, Body=body, Metadata={"who": "me"})

    answer = await call(s3, "get_object", Bucket="bucket-one", Key=key)
    assert (answer["Body"].read(), answer["Metadata"]) == (body, {"who": "me"})
    assert is_now(w, answer["LastModified"])
    (listed,) = (await call(s3, "list_objects_v2", Bucket="bucket-one"))["Contents"]
    assert (listed["Key"], listed["Size"]) == (key, len(body))
    assert is_now(w, listed["LastModified"])
    with pytest.raises(ClientError, match="304"):
        later = answer["LastModified"] + timedelta(minutes=2)
        await call(s3, "get_object", Bucket="bucket-one", Key=key, IfModifiedSince=later)
    with pytest.raises(ClientError, match="NoSuchKey"):
        await call(s3, "get_object", Bucket="bucket-one", Key="nowhere")


async def test_a_presigned_url_and_a_body_in_signed_chunks_reach_the_endpoint(w: World) -> None:
    s3 = w.client("s3", s3={"addressing_style": "path"})
    where = {"LocationConstraint": "us-west-2"}
    await call(s3, "create_bucket", Bucket="bucket-two", CreateBucketConfiguration=where)
    url = s3.generate_presigned_url("put_object", Params={"Bucket": "bucket-two", "Key": "k"})
    chunks = b"3;chunk-signature=0\r\nabc\r\n4;chunk-signature=0\r\ndefg\r\n0;chunk-signature=0\r\n\r\n"
    headers = {
        "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "x-amz-decoded-content-length": "7",
        "content-encoding": "aws-chunked",
        "content-type": "text/plain",
    }

    def put() -> int:
        with urllib.request.urlopen(urllib.request.Request(url, chunks, headers, method="PUT")) as answer:
            return int(answer.status)

    assert await asyncio.to_thread(put) == 200
    answer = await call(s3, "get_object", Bucket="bucket-two", Key="k")
    assert answer["Body"].read() == b"abcdefg"
    assert "ContentEncoding" not in answer


async def test_log_events_that_are_hours_ahead_of_the_wall_are_taken_and_told_in_aws_time(w: World) -> None:
    await asyncio.sleep(w.cloud.clock.wall(60))
    logs = w.client("logs")
    await call(logs, "create_log_group", logGroupName="g")
    await call(logs, "create_log_stream", logGroupName="g", logStreamName="s")
    ahead = w.cloud.clock.now_ms() + 9 * 3_600_000
    event = {"timestamp": ahead, "message": f"{w.url} stays"}
    await call(logs, "put_log_events", logGroupName="g", logStreamName="s", logEvents=[event])

    between = {"startTime": ahead - 1000, "endTime": ahead + 1000}
    (told,) = (await call(logs, "filter_log_events", logGroupName="g", **between))["events"]
    assert told["message"] == event["message"]
    assert abs(told["timestamp"] - ahead) <= SCALE, "the endpoint keeps milliseconds of the wall"
    (group,) = (await call(logs, "describe_log_groups"))["logGroups"]
    assert is_now(w, group["creationTime"] / 1000)


async def test_items_are_users_own_and_tables_are_told_in_the_clouds_terms(w: World, endpoint: str) -> None:
    dynamodb = w.client("dynamodb")
    created = await call(
        dynamodb,
        "create_table",
        TableName="t",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    assert is_now(w, created["TableDescription"]["CreationDateTime"])
    item = {"k": {"S": f"{endpoint}/x"}, "b": {"B": b"\0\xff"}, "n": {"N": "1.50"}, "l": {"L": [{"NULL": True}]}}
    await call(dynamodb, "put_item", TableName="t", Item=item)

    assert (await call(dynamodb, "get_item", TableName="t", Key={"k": item["k"]}))["Item"] == {
        **item,
        "n": {"N": "1.50"},
    }
    with pytest.raises(ClientError, match="ConditionalCheckFailedException"):
        condition = "attribute_not_exists(k)"
        await call(dynamodb, "put_item", TableName="t", Item=item, ConditionExpression=condition)


async def test_what_the_endpoint_does_not_have_is_said_by_name(w: World, endpoint: str) -> None:
    with pytest.raises(ClientError) as refused:
        await call(w.client("dynamodb"), "list_contributor_insights")
    assert f"the base {endpoint} does not have dynamodb:ListContributorInsights" in str(refused.value)


async def test_requests_are_signed_for_the_endpoint_with_its_own_credentials(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BASE_AWS_ACCESS_KEY_ID", "AKIATHEBASESOWN")
    monkeypatch.setenv("BASE_AWS_SECRET_ACCESS_KEY", "secret")
    async with partial_endpoint(endpoint) as front, world(base=front.url) as w:
        front.requests.clear()
        await call(w.client("sns"), "list_topics")
        await call(w.client("s3"), "list_buckets")

        assert [service for service, _ in front.requests] == ["sns", "s3"]
        for service, headers in front.requests:
            today = datetime.fromtimestamp(time.time(), UTC).strftime("%Y%m%d")
            assert f"Credential=AKIATHEBASESOWN/{today}/us-west-2/{service}/aws4_request" in headers["authorization"]
            assert headers["host"] == front.url.removeprefix("http://")
            assert "AKIAIOSFODNN7EXAMPLE" not in str(headers)
