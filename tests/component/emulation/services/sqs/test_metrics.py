"""The AWS/SQS metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.world import World, world
from webordinary_testkit.emulation.services.sqs import Sqs
from webordinary_testkit.emulation.services.sqs.activity import ACTIVE, Activity
from webordinary_testkit.emulation.time.clock import Clock


@pytest_asyncio.fixture
async def cloud() -> AsyncIterator[World]:
    async with world(Sqs, scale=60) as w:
        await w.aws.call("sqs", "CreateQueue", QueueName="jobs")
        yield w


async def collected(cloud: World) -> dict[str, float]:
    (controller,) = cloud.controllers
    assert isinstance(controller, Sqs)
    data = list(await controller.collect())
    assert all(datum.namespace == "AWS/SQS" and dict(datum.dimensions) == {"QueueName": "jobs"} for datum in data)
    return {datum.name: sum(datum.values) for datum in data}


async def url(cloud: World) -> str:
    return str((await cloud.aws.call("sqs", "GetQueueUrl", QueueName="jobs"))["QueueUrl"])


async def test_a_queue_is_counted_as_cloudwatch_counts_it(cloud: World) -> None:
    jobs = await url(cloud)
    for delay in (0, 0, 0, 900):
        await cloud.aws.call("sqs", "SendMessage", QueueUrl=jobs, MessageBody="m", DelaySeconds=delay)
    received = (await cloud.aws.call("sqs", "ReceiveMessage", QueueUrl=jobs, MaxNumberOfMessages=2))["Messages"]
    await cloud.aws.call("sqs", "DeleteMessage", QueueUrl=jobs, ReceiptHandle=received[0]["ReceiptHandle"])

    first, second = await collected(cloud), await collected(cloud)

    assert {name: value for name, value in first.items() if "Age" not in name} == {
        "ApproximateNumberOfMessagesVisible": 1,
        "ApproximateNumberOfMessagesNotVisible": 1,
        "ApproximateNumberOfMessagesDelayed": 1,
        "NumberOfMessagesSent": 4,
        "NumberOfMessagesReceived": 2,
        "NumberOfMessagesDeleted": 1,
        "NumberOfEmptyReceives": 0,
    }
    assert second["NumberOfMessagesSent"] == second["NumberOfMessagesDeleted"] == 0
    assert second["ApproximateNumberOfMessagesVisible"] == 1


async def test_the_oldest_message_has_an_age(cloud: World) -> None:
    jobs = await url(cloud)
    await cloud.aws.call("sqs", "SendMessage", QueueUrl=jobs, MessageBody="old")
    await cloud.ctx.clock.sleep(10)
    await cloud.aws.call("sqs", "SendMessage", QueueUrl=jobs, MessageBody="new")

    before = (await collected(cloud))["ApproximateAgeOfOldestMessage"]
    (old,) = (await cloud.aws.call("sqs", "ReceiveMessage", QueueUrl=jobs))["Messages"]
    await cloud.aws.call("sqs", "DeleteMessage", QueueUrl=jobs, ReceiptHandle=old["ReceiptHandle"])
    after = (await collected(cloud))["ApproximateAgeOfOldestMessage"]

    assert old["Body"] == "old"
    assert before >= 10
    assert after < before


async def test_what_topics_bring_counts_as_sent(cloud: World) -> None:
    topic = (await cloud.aws.call("sns", "CreateTopic", Name="news"))["TopicArn"]
    arn = "arn:aws:sqs:us-west-2:123456789012:jobs"
    await cloud.aws.call("sns", "Subscribe", TopicArn=topic, Protocol="sqs", Endpoint=arn)
    await cloud.aws.call("sns", "Publish", TopicArn=topic, Message="m")

    metrics = await collected(cloud)

    assert (metrics["NumberOfMessagesSent"], metrics["ApproximateNumberOfMessagesVisible"]) == (1, 1)


async def test_an_untouched_empty_queue_costs_no_call(cloud: World) -> None:
    await collected(cloud)
    before = [call.operation for call in cloud.cloud.recorder.since(0)]

    metrics = await collected(cloud)

    assert [call.operation for call in cloud.cloud.recorder.since(0)] == before
    assert metrics["ApproximateNumberOfMessagesVisible"] == 0


async def test_a_deleted_queue_has_no_metrics(cloud: World) -> None:
    await cloud.aws.call("sqs", "DeleteQueue", QueueUrl=await url(cloud))

    assert await collected(cloud) == {}


def test_a_queue_nobody_used_for_six_hours_is_not_active() -> None:
    now = Clock().now()
    activity = Activity("jobs", now)

    assert activity.is_active(now + ACTIVE)
    assert not activity.is_active(now + ACTIVE + 1)
    activity.used(now + ACTIVE)
    assert activity.is_active(now + 2 * ACTIVE)


def test_messages_that_left_by_themselves_were_the_oldest() -> None:
    activity = Activity("jobs", 0)
    for at in (0, 10, 20):
        activity.sent(1, at)

    ages = {datum.name: datum.values for datum in activity.report(1, 0, 0, now=30)}

    assert ages["ApproximateAgeOfOldestMessage"] == (10.0,)


def test_messages_that_appeared_by_themselves_are_new() -> None:
    activity = Activity("jobs", 0)

    first = {datum.name: datum.values for datum in activity.report(1, 0, 0, now=30)}
    second = {datum.name: datum.values for datum in activity.report(1, 0, 0, now=90)}

    assert first["ApproximateAgeOfOldestMessage"] == (0.0,)
    assert second["ApproximateAgeOfOldestMessage"] == (60.0,)
