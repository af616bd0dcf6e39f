"""SQS through the gateway: when messages can be received, and what AWS refuses."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import pytest
import pytest_asyncio
from botocore.exceptions import ClientError

from tests.support.world import World, world
from webordinary_testkit.emulation.core.errors import AwsError
from webordinary_testkit.emulation.services.sqs import Sqs

T = TypeVar("T")
LONGEST = 20
"""AWS seconds of the longest poll."""


@pytest_asyncio.fixture
async def cloud() -> AsyncIterator[World]:
    """A maximum poll takes two wall seconds here, so an early end is distinguishable."""
    async with world(Sqs, scale=10) as w:
        yield w


@pytest_asyncio.fixture
async def fast_cloud() -> AsyncIterator[World]:
    async with world(Sqs, scale=120) as w:
        yield w


class SqsQueue:
    """One queue, and the AWS time its answers took."""

    def __init__(self, cloud: World, url: str) -> None:
        self.cloud = cloud
        self.url = url

    async def call(self, operation: str, **params: Any) -> dict[str, Any]:
        return await self.cloud.aws.call("sqs", operation, QueueUrl=self.url, **params)

    async def send(self, body: str = "hello", **params: Any) -> None:
        await self.call("SendMessage", MessageBody=body, **params)

    async def receive(self, wait: int | None = LONGEST, **params: Any) -> list[str]:
        given = {} if wait is None else {"WaitTimeSeconds": wait}
        answer = await self.call("ReceiveMessage", **given, **params)
        return [message["Body"] for message in answer.get("Messages", [])]

    def waiting(self) -> asyncio.Task[list[str]]:
        """A longest poll in the background that fails unless something ends it early."""

        async def wait() -> list[str]:
            bodies, seconds = await self.timed()
            assert seconds < LONGEST, f"waited to the end, {seconds:.1f} AWS seconds, and received {bodies}"
            return bodies

        return asyncio.create_task(wait())

    async def timed(self, **params: Any) -> tuple[list[str], float]:
        began = self.cloud.ctx.clock.now()
        return await self.receive(**params), self.cloud.ctx.clock.now() - began


async def queue(cloud: World, name: str = "jobs", **attributes: str) -> SqsQueue:
    answer = await cloud.aws.call("sqs", "CreateQueue", QueueName=name, Attributes=attributes)
    return SqsQueue(cloud, answer["QueueUrl"])


async def boto(cloud: World, ask: Callable[[Any], T]) -> T:
    client = await asyncio.to_thread(cloud.client, "sqs")
    return await asyncio.to_thread(ask, client)


async def polls_waiting(cloud: World, tasks: int = 1) -> None:
    """Wait until so many long polls have tried and found nothing."""
    (controller,) = cloud.controllers
    assert isinstance(controller, Sqs)
    async with asyncio.timeout(20):
        while True:
            await cloud.aws.call("sts", "GetCallerIdentity")  # a turn of the one base thread
            if sum(len(known.long_polls._waiting) for known in controller._queues.values()) == tasks:
                return


async def test_an_empty_queue_answers_after_the_wait_and_not_before(cloud: World) -> None:
    jobs = await queue(cloud)

    messages, seconds = await jobs.timed(wait=3)

    assert messages == []
    assert 3 <= seconds < LONGEST


async def test_a_message_sent_meanwhile_ends_the_wait(cloud: World) -> None:
    jobs = await queue(cloud)
    waiting = jobs.waiting()
    await polls_waiting(cloud)

    await jobs.send()

    assert await waiting == ["hello"]


async def test_boto3_waits_and_receives_what_a_batch_brings(cloud: World) -> None:
    jobs = await queue(cloud)
    sqs = await asyncio.to_thread(cloud.client, "sqs")
    began = cloud.ctx.clock.now()
    waiting = asyncio.create_task(asyncio.to_thread(sqs.receive_message, QueueUrl=jobs.url, WaitTimeSeconds=LONGEST))
    await polls_waiting(cloud)

    entries = [{"Id": str(number), "MessageBody": f"m{number}"} for number in range(2)]
    await jobs.call("SendMessageBatch", Entries=entries)

    (message,) = (await waiting)["Messages"]
    assert cloud.ctx.clock.now() - began < LONGEST
    assert message["Body"] == "m0"
    assert "Attributes" not in message  # none were asked for


async def test_the_queue_says_how_long_to_wait_when_the_caller_does_not(cloud: World) -> None:
    jobs = await queue(cloud, ReceiveMessageWaitTimeSeconds="4")

    _, seconds = await jobs.timed(wait=None)
    _, at_once = await jobs.timed(wait=0)

    assert 4 <= seconds < LONGEST
    assert at_once < 4


async def test_new_attributes_count_from_then_on(cloud: World) -> None:
    jobs = await queue(cloud)
    await jobs.call("SetQueueAttributes", Attributes={"ReceiveMessageWaitTimeSeconds": "3"})

    _, seconds = await jobs.timed(wait=None)

    assert seconds >= 3


async def test_a_message_is_visible_again_after_its_timeout(cloud: World) -> None:
    jobs = await queue(cloud, VisibilityTimeout="6")
    await jobs.send()
    began = cloud.ctx.clock.now()
    assert await jobs.receive() == ["hello"]

    messages, seconds = await jobs.timed()

    assert messages == ["hello"]
    assert seconds < LONGEST
    assert cloud.ctx.clock.now() - began >= 6


async def test_the_receivers_own_timeout_wins(cloud: World) -> None:
    jobs = await queue(cloud)
    await jobs.send()
    assert await jobs.receive(VisibilityTimeout=5) == ["hello"]

    messages, seconds = await jobs.timed()

    assert messages == ["hello"]
    assert seconds < LONGEST


@pytest.mark.parametrize("batch", [False, True])
async def test_giving_a_message_back_ends_the_wait_of_another(cloud: World, batch: bool) -> None:
    jobs = await queue(cloud)
    await jobs.send()
    (message,) = (await jobs.call("ReceiveMessage"))["Messages"]
    waiting = jobs.waiting()
    await polls_waiting(cloud)

    back = {"ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
    if batch:
        await jobs.call("ChangeMessageVisibilityBatch", Entries=[{"Id": "1", **back}])
    else:
        await jobs.call("ChangeMessageVisibility", **back)

    assert await waiting == ["hello"]


@pytest.mark.parametrize("by", ["message", "queue"])
async def test_a_delayed_message_arrives_when_its_delay_is_over(cloud: World, by: str) -> None:
    jobs = await queue(cloud, **({"DelaySeconds": "5"} if by == "queue" else {}))
    delay: dict[str, Any] = {"DelaySeconds": 5} if by == "message" else {}
    began = cloud.ctx.clock.now()
    await jobs.send(**delay)

    messages, seconds = await jobs.timed()

    assert messages == ["hello"]
    assert seconds < LONGEST
    assert cloud.ctx.clock.now() - began >= 5


@pytest.mark.parametrize("batch", [False, True])
async def test_what_a_topic_publishes_ends_the_wait(cloud: World, batch: bool) -> None:
    jobs = await queue(cloud)
    topic = (await cloud.aws.call("sns", "CreateTopic", Name="news"))["TopicArn"]
    arn = "arn:aws:sqs:us-west-2:123456789012:jobs"
    raw = {"RawMessageDelivery": "true"}
    await cloud.aws.call("sns", "Subscribe", TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=raw)
    waiting = jobs.waiting()
    await polls_waiting(cloud)

    if batch:
        entries = [{"Id": "1", "Message": "hello"}]
        await cloud.aws.call("sns", "PublishBatch", TopicArn=topic, PublishBatchRequestEntries=entries)
    else:
        await cloud.aws.call("sns", "Publish", TopicArn=topic, Message="hello")

    assert await waiting == ["hello"]


async def test_waiting_receivers_are_served_in_their_order(cloud: World) -> None:
    jobs = await queue(cloud)
    tasks = []
    for count in range(1, 4):
        tasks.append(jobs.waiting())
        await polls_waiting(cloud, count)

    for number in range(3):
        await jobs.send(f"m{number}")

    assert [await task for task in tasks] == [["m0"], ["m1"], ["m2"]]


async def test_a_message_received_too_often_goes_to_the_dead_letters(cloud: World) -> None:
    dead = await queue(cloud, "dead")
    policy = {"deadLetterTargetArn": "arn:aws:sqs:us-west-2:123456789012:dead", "maxReceiveCount": 3}
    jobs = await queue(cloud, VisibilityTimeout="1", RedrivePolicy=json.dumps(policy))
    mourning = dead.waiting()
    await polls_waiting(cloud)
    await jobs.send("poison")

    for _ in range(3):
        assert await jobs.receive() == ["poison"]

    assert await jobs.receive(wait=2) == []
    assert await mourning == ["poison"]


async def test_the_next_of_a_fifo_group_comes_when_the_one_before_is_deleted(cloud: World) -> None:
    jobs = await queue(cloud, "jobs.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    for body in ("one", "two"):
        await jobs.send(body, MessageGroupId="g")
    (first,) = (await jobs.call("ReceiveMessage"))["Messages"]
    waiting = jobs.waiting()
    await polls_waiting(cloud)

    await jobs.call("DeleteMessage", ReceiptHandle=first["ReceiptHandle"])

    assert (first["Body"], await waiting) == ("one", ["two"])


async def test_a_receiver_that_is_cancelled_takes_no_message_with_it(cloud: World) -> None:
    jobs = await queue(cloud)
    await jobs.send()
    leaving = jobs.waiting()
    await asyncio.sleep(0)  # under way in the base by now
    await asyncio.sleep(0)
    leaving.cancel()

    assert await jobs.receive(wait=10) == ["hello"]
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_a_client_that_hangs_up_takes_no_message_with_it(cloud: World) -> None:
    jobs = await queue(cloud)
    host, _, port = cloud.cloud.gateway.host.partition(":")
    body = json.dumps({"QueueUrl": jobs.url, "WaitTimeSeconds": 20})
    request = (
        "POST / HTTP/1.1\r\nHost: sqs\r\nContent-Type: application/x-amz-json-1.0\r\n"
        f"X-Amz-Target: AmazonSQS.ReceiveMessage\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    )
    connection = socket.create_connection((host, int(port)))
    connection.sendall(request.encode())
    await polls_waiting(cloud)
    connection.close()
    await polls_waiting(cloud, 0)

    await jobs.send()

    assert await jobs.receive(wait=0) == ["hello"]


async def test_deleting_a_queue_ends_the_waits_for_it(cloud: World) -> None:
    jobs = await queue(cloud)
    waiting = jobs.waiting()
    await polls_waiting(cloud)

    await jobs.call("DeleteQueue")

    with pytest.raises(AwsError, match="NonExistentQueue"):
        await waiting


async def test_a_deleted_queues_name_is_held(cloud: World) -> None:
    jobs = await queue(cloud)
    await jobs.call("DeleteQueue")

    with pytest.raises(ClientError, match="QueueDeletedRecently"):
        await boto(cloud, lambda sqs: sqs.create_queue(QueueName="jobs"))


async def test_a_queue_that_was_just_purged_is_not_purged_again(cloud: World) -> None:
    jobs = await queue(cloud)
    await jobs.send()
    await jobs.call("PurgeQueue")

    assert await jobs.receive(wait=0) == []
    with pytest.raises(ClientError, match="PurgeQueueInProgress"):
        await boto(cloud, lambda sqs: sqs.purge_queue(QueueUrl=jobs.url))


async def test_after_a_minute_a_queue_is_purged_again_and_its_name_is_free(fast_cloud: World) -> None:
    jobs = await queue(fast_cloud)
    await jobs.call("PurgeQueue")
    await fast_cloud.ctx.clock.sleep(60)
    await jobs.call("PurgeQueue")

    await jobs.call("DeleteQueue")
    await fast_cloud.ctx.clock.sleep(60)
    await queue(fast_cloud)


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"WaitTimeSeconds": 21}, "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20"),
        ({"WaitTimeSeconds": -1}, "Value -1 for parameter WaitTimeSeconds is invalid"),
        ({"MaxNumberOfMessages": 11}, "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between"),
        ({"MaxNumberOfMessages": 0}, "Value 0 for parameter MaxNumberOfMessages is invalid"),
    ],
)
async def test_values_out_of_range_are_refused(cloud: World, params: dict[str, int], reason: str) -> None:
    jobs = await queue(cloud)

    with pytest.raises(ClientError, match=f"InvalidParameterValue.*{reason}"):
        await boto(cloud, lambda sqs: sqs.receive_message(QueueUrl=jobs.url, **params))


async def test_a_queue_that_is_not_there_is_refused(cloud: World) -> None:
    with pytest.raises(ClientError, match="NonExistentQueue"):
        await boto(cloud, lambda sqs: sqs.receive_message(QueueUrl=f"{cloud.url}/123456789012/none"))


@pytest.mark.parametrize("member", ["AttributeNames", "MessageSystemAttributeNames"])
async def test_system_attributes_come_when_asked_for(cloud: World, member: str) -> None:
    jobs = await queue(cloud)
    await jobs.send()

    (message,) = (await jobs.call("ReceiveMessage", **{member: ["ApproximateReceiveCount"]}))["Messages"]

    assert message["Attributes"] == {"ApproximateReceiveCount": "1"}


async def test_stopping_ends_every_wait() -> None:
    async with world(Sqs, scale=10) as w:
        jobs = await queue(w)
        waiting = jobs.waiting()
        await polls_waiting(w)

    assert await waiting == []
