"""SQS's documented limits, its order and deduplication in FIFO queues, and the words of its refusals."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.support.world import World, world
from webordinary_testkit.emulation.core.errors import AwsError
from webordinary_testkit.emulation.services.sqs import Sqs

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def cloud() -> AsyncIterator[World]:
    async with world(Sqs, scale=60) as w:
        yield w


class Fifo:
    def __init__(self, cloud: World, url: str) -> None:
        self._cloud = cloud
        self.url = url

    async def call(self, operation: str, **params: Any) -> dict[str, Any]:
        return await self._cloud.aws.call("sqs", operation, QueueUrl=self.url, **params)

    async def send(self, body: str, group: str = "g", key: str | None = None, **params: Any) -> dict[str, Any]:
        identity = {} if key is None else {"MessageDeduplicationId": key}
        return await self.call("SendMessage", MessageBody=body, MessageGroupId=group, **identity, **params)

    async def messages(self, **params: Any) -> list[dict[str, Any]]:
        answer = await self.call("ReceiveMessage", MaxNumberOfMessages=10, AttributeNames=["All"], **params)
        found: list[dict[str, Any]] = answer.get("Messages", [])
        return found

    async def receive(self, **params: Any) -> list[str]:
        return [message["Body"] for message in await self.messages(**params)]


async def fifo(cloud: World, name: str, **attributes: str) -> Fifo:
    given = {"FifoQueue": "true", **attributes}
    answer = await cloud.aws.call("sqs", "CreateQueue", QueueName=f"{name}.fifo", Attributes=given)
    return Fifo(cloud, answer["QueueUrl"])


async def refusal(cloud: World, operation: str, **params: Any) -> str:
    try:
        answer = await cloud.aws.call("sqs", operation, **params)
    except AwsError as error:
        return f"{error.code.removeprefix('AWS.SimpleQueueService.')}: {error.message}"
    return f"accepted: {answer}"


async def test_a_group_keeps_its_order_after_a_visibility_timeout(cloud: World) -> None:
    queue = await fifo(cloud, "order", ContentBasedDeduplication="true")
    for number in range(3):
        await queue.send(f"message-{number}")
    await queue.receive(VisibilityTimeout=6)
    assert await queue.receive() == []
    await cloud.ctx.clock.sleep(8)
    assert await queue.receive() == ["message-0", "message-1", "message-2"]


async def test_a_receive_fills_up_from_one_group_before_the_next(cloud: World) -> None:
    queue = await fifo(cloud, "groups", ContentBasedDeduplication="true")
    for group, body in (("g1", "g1-m1"), ("g2", "g2-m1"), ("g1", "g1-m2"), ("g2", "g2-m2")):
        await queue.send(body, group)
    assert await queue.receive() == ["g1-m1", "g1-m2", "g2-m1", "g2-m2"]


async def test_a_message_that_is_given_back_frees_its_group(cloud: World) -> None:
    queue = await fifo(cloud, "back", ContentBasedDeduplication="true")
    await queue.send("a")
    (message,) = await queue.messages()
    await queue.call("ChangeMessageVisibility", ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    assert await queue.receive() == ["a"]


async def test_a_duplicate_is_swallowed_for_five_minutes_also_after_a_deletion(cloud: World) -> None:
    queue = await fifo(cloud, "again")
    first = await queue.send("a", key="k")
    (message,) = await queue.messages()
    await queue.call("DeleteMessage", ReceiptHandle=message["ReceiptHandle"])
    second = await queue.send("b", key="k")
    assert await queue.receive() == []
    assert (second["MessageId"], second["SequenceNumber"]) == (first["MessageId"], first["SequenceNumber"])
    await cloud.ctx.clock.sleep(301)
    await queue.send("c", key="k")
    assert await queue.receive() == ["c"]


@pytest.mark.parametrize(
    ("scope", "limit", "received"), [("messageGroup", "perMessageGroupId", 2), ("queue", "perQueue", 1)]
)
async def test_the_scope_of_deduplication(cloud: World, scope: str, limit: str, received: int) -> None:
    queue = await fifo(cloud, f"scope-{scope}", DeduplicationScope=scope, FifoThroughputLimit=limit)
    await queue.send("A", "GA", "S")
    await queue.send("B", "GB", "S")
    assert len(await queue.receive()) == received


async def test_sequence_numbers_grow(cloud: World) -> None:
    queue = await fifo(cloud, "numbers", ContentBasedDeduplication="true")
    numbers = [(await queue.send(str(number)))["SequenceNumber"] for number in range(5)]
    assert numbers == sorted(numbers, key=int) and {len(number) for number in numbers} == {20}


async def test_the_queues_delay_counts_whatever_the_message_says(cloud: World) -> None:
    queue = await fifo(cloud, "delay", ContentBasedDeduplication="true", DelaySeconds="30")
    await queue.send("a", DelaySeconds=0)
    assert await queue.receive() == []
    await cloud.ctx.clock.sleep(31)
    assert await queue.receive() == ["a"]


async def test_a_receipt_handle_expires_with_its_visibility_timeout(cloud: World) -> None:
    queue = await fifo(cloud, "expired", ContentBasedDeduplication="true")
    await queue.send("a")
    (message,) = await queue.messages(VisibilityTimeout=2)
    await cloud.ctx.clock.sleep(3)
    handle = message["ReceiptHandle"]
    assert await refusal(cloud, "DeleteMessage", QueueUrl=queue.url, ReceiptHandle=handle) == (
        f"InvalidParameterValue: Value {handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has "
        "expired."
    )


async def test_what_is_received_too_often_goes_to_the_dead_letters_and_frees_the_group(cloud: World) -> None:
    dead = await fifo(cloud, "dead")
    arn = "arn:aws:sqs:us-west-2:123456789012:dead.fifo"
    policy = f'{{"deadLetterTargetArn": "{arn}", "maxReceiveCount": 1}}'
    queue = await fifo(cloud, "poison", ContentBasedDeduplication="true", RedrivePolicy=policy)
    await queue.send("poison")
    await queue.receive(VisibilityTimeout=0)
    await queue.send("good")
    assert await queue.receive() == ["good"]
    assert await dead.receive() == ["poison"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VisibilityTimeout", "43201"),
        ("VisibilityTimeout", "abc"),
        ("VisibilityTimeout", ""),
        ("DelaySeconds", "901"),
        ("ReceiveMessageWaitTimeSeconds", "21"),
        ("MessageRetentionPeriod", "59"),
        ("MaximumMessageSize", "1023"),
    ],
)
async def test_attributes_out_of_range_are_refused(cloud: World, name: str, value: str) -> None:
    said = f"InvalidAttributeValue: Invalid value for the parameter {name}."
    assert await refusal(cloud, "CreateQueue", QueueName="odd", Attributes={name: value}) == said
    queue = (await cloud.aws.call("sqs", "CreateQueue", QueueName="plain"))["QueueUrl"]
    assert await refusal(cloud, "SetQueueAttributes", QueueUrl=queue, Attributes={name: value}) == said


@pytest.mark.parametrize("name", ["Nope", "FifoQueue", "ContentBasedDeduplication", "DeduplicationScope"])
async def test_attributes_that_a_standard_queue_does_not_have_are_refused(cloud: World, name: str) -> None:
    said = f"InvalidAttributeName: Unknown Attribute {name}."
    assert await refusal(cloud, "CreateQueue", QueueName="odd", Attributes={name: "false"}) == said
    queue = (await cloud.aws.call("sqs", "CreateQueue", QueueName="plain"))["QueueUrl"]
    assert await refusal(cloud, "SetQueueAttributes", QueueUrl=queue, Attributes={name: "false"}) == said


async def test_a_fifo_name_needs_the_attribute(cloud: World) -> None:
    assert (await refusal(cloud, "CreateQueue", QueueName="x.fifo")).startswith("InvalidParameterValue: Can only")


async def test_a_queue_with_other_attributes_is_named_with_the_difference(cloud: World) -> None:
    await cloud.aws.call("sqs", "CreateQueue", QueueName="same", Attributes={"DelaySeconds": "1"})
    await cloud.aws.call("sqs", "CreateQueue", QueueName="same", Attributes={"DelaySeconds": "1"})
    said = await refusal(cloud, "CreateQueue", QueueName="same", Attributes={"DelaySeconds": "2"})
    text = "A queue already exists with the same name and a different value for attribute DelaySeconds"
    assert said == f"QueueAlreadyExists: {text}"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "MissingParameter"),
        ("\x07", "InvalidMessageContents"),
        ("\ufffe", "InvalidMessageContents"),
        ("\t\U0001f600", "accepted"),
    ],
)
async def test_bodies_that_sqs_does_not_take(cloud: World, body: str, code: str) -> None:
    queue = (await cloud.aws.call("sqs", "CreateQueue", QueueName="plain"))["QueueUrl"]
    assert (await refusal(cloud, "SendMessage", QueueUrl=queue, MessageBody=body)).startswith(code)


async def test_one_bad_body_of_a_batch_fails_alone(cloud: World) -> None:
    queue = (await cloud.aws.call("sqs", "CreateQueue", QueueName="batch"))["QueueUrl"]
    entries = [{"Id": "bad", "MessageBody": "\x08"}, {"Id": "good", "MessageBody": "a"}]
    answer = await cloud.aws.call("sqs", "SendMessageBatch", QueueUrl=queue, Entries=entries)
    assert [each["Id"] for each in answer["Successful"]] == ["good"]
    assert [(each["Id"], each["Code"]) for each in answer["Failed"]] == [("bad", "InvalidMessageContents")]


@pytest.mark.parametrize(
    ("ids", "code"),
    [
        (["a b"], "InvalidBatchEntryId"),
        (["a", "a"], "BatchEntryIdsNotDistinct"),
        ([str(number) for number in range(20)], "TooManyEntriesInBatchRequest"),
    ],
)
@pytest.mark.parametrize("operation", ["DeleteMessageBatch", "ChangeMessageVisibilityBatch", "SendMessageBatch"])
async def test_batches_that_sqs_does_not_take(cloud: World, operation: str, ids: list[str], code: str) -> None:
    queue = (await cloud.aws.call("sqs", "CreateQueue", QueueName="batch"))["QueueUrl"]
    rest: dict[str, Any] = {
        "DeleteMessageBatch": {"ReceiptHandle": "h"},
        "ChangeMessageVisibilityBatch": {"ReceiptHandle": "h", "VisibilityTimeout": 1},
        "SendMessageBatch": {"MessageBody": "x"},
    }[operation]
    entries = [{"Id": id, **rest} for id in ids]
    for index, entry in enumerate(entries):
        if "ReceiptHandle" in entry:
            entry["ReceiptHandle"] = f"h{index}"
    assert (await refusal(cloud, operation, QueueUrl=queue, Entries=entries)).startswith(code)


async def test_the_policy_about_sources_can_be_asked_for(cloud: World) -> None:
    policy = '{"redrivePermission": "denyAll"}'
    given = {"RedriveAllowPolicy": policy, "SqsManagedSseEnabled": "false"}
    queue = (await cloud.aws.call("sqs", "CreateQueue", QueueName="sources", Attributes=given))["QueueUrl"]
    answer = await cloud.aws.call("sqs", "GetQueueAttributes", QueueUrl=queue, AttributeNames=list(given))
    assert answer["Attributes"] == given


async def test_a_star_asks_for_all_message_attributes(cloud: World) -> None:
    queue = (await cloud.aws.call("sqs", "CreateQueue", QueueName="star"))["QueueUrl"]
    attributes = {"a": {"DataType": "String", "StringValue": "1"}}
    await cloud.aws.call("sqs", "SendMessage", QueueUrl=queue, MessageBody="x", MessageAttributes=attributes)
    answer = await cloud.aws.call("sqs", "ReceiveMessage", QueueUrl=queue, MessageAttributeNames=["*"])
    assert answer["Messages"][0]["MessageAttributes"] == attributes


async def test_the_trace_header_comes_with_a_message_of_a_batch(cloud: World) -> None:
    queue = (await cloud.aws.call("sqs", "CreateQueue", QueueName="traced"))["QueueUrl"]
    trace = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1"}}
    entries = [{"Id": "a", "MessageBody": "x", "MessageSystemAttributes": trace}]
    await cloud.aws.call("sqs", "SendMessageBatch", QueueUrl=queue, Entries=entries)
    answer = await cloud.aws.call("sqs", "ReceiveMessage", QueueUrl=queue, AttributeNames=["AWSTraceHeader"])
    assert answer["Messages"][0]["Attributes"] == {"AWSTraceHeader": "Root=1"}


async def test_add_permission_begins_a_policy_of_2008(cloud: World) -> None:
    queue = (await cloud.aws.call("sqs", "CreateQueue", QueueName="permitted"))["QueueUrl"]
    given: dict[str, Any] = {"Label": "l", "AWSAccountIds": ["123456789012"], "Actions": ["SendMessage"]}
    await cloud.aws.call("sqs", "AddPermission", QueueUrl=queue, **given)
    answer = await cloud.aws.call("sqs", "GetQueueAttributes", QueueUrl=queue, AttributeNames=["Policy"])
    assert '"Version": "2008-10-17"' in answer["Attributes"]["Policy"]
