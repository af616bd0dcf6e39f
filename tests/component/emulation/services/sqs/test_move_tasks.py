"""Messages of a dead-letter queue go back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.support.ecs import eventually
from tests.support.world import World, world
from webordinary_testkit.emulation.core.errors import AwsError
from webordinary_testkit.emulation.services.sqs import Sqs

ARN = "arn:aws:sqs:us-west-2:123456789012:"


@pytest_asyncio.fixture
async def cloud() -> AsyncIterator[World]:
    async with world(Sqs, scale=60) as w:
        yield w


async def call(cloud: World, operation: str, **params: Any) -> dict[str, Any]:
    return await cloud.aws.call("sqs", operation, **params)


async def with_dead_letters(cloud: World, count: int) -> tuple[str, str]:
    """A queue and its dead-letter queue with so many messages that came from it."""
    dead = (await call(cloud, "CreateQueue", QueueName="dead"))["QueueUrl"]
    policy = json.dumps({"deadLetterTargetArn": f"{ARN}dead", "maxReceiveCount": 1})
    url = (await call(cloud, "CreateQueue", QueueName="jobs", Attributes={"RedrivePolicy": policy}))["QueueUrl"]
    for number in range(count):
        attributes = {"n": {"DataType": "Number", "StringValue": str(number)}}
        await call(cloud, "SendMessage", QueueUrl=url, MessageBody=str(number), MessageAttributes=attributes)
    for _ in range(count + 1):
        await call(cloud, "ReceiveMessage", QueueUrl=url, VisibilityTimeout=0, MaxNumberOfMessages=10)
    return url, dead


async def latest(cloud: World) -> dict[str, Any]:
    task: dict[str, Any] = (await call(cloud, "ListMessageMoveTasks", SourceArn=f"{ARN}dead"))["Results"][0]
    return task


async def ended(cloud: World) -> dict[str, Any]:
    async def probe() -> Any:
        task = await latest(cloud)
        return task if task["Status"] not in ("RUNNING", "CANCELLING") else None

    task: dict[str, Any] = await eventually(probe)
    return task


async def bodies(cloud: World, url: str) -> list[str]:
    answer = await call(cloud, "ReceiveMessage", QueueUrl=url, MaxNumberOfMessages=10)
    return sorted(message["Body"] for message in answer.get("Messages", []))


async def test_dead_letters_say_where_they_come_from(cloud: World) -> None:
    _, dead = await with_dead_letters(cloud, 1)
    names = ["DeadLetterQueueSourceArn"]
    answer = await call(cloud, "ReceiveMessage", QueueUrl=dead, MessageSystemAttributeNames=names)
    assert answer["Messages"][0]["Attributes"] == {"DeadLetterQueueSourceArn": f"{ARN}jobs"}


async def test_messages_go_back_to_their_source(cloud: World) -> None:
    url, dead = await with_dead_letters(cloud, 3)
    await call(cloud, "StartMessageMoveTask", SourceArn=f"{ARN}dead")
    task = await ended(cloud)
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 3)
    assert await bodies(cloud, url) == ["0", "1", "2"]
    assert await bodies(cloud, dead) == []


async def test_messages_go_to_another_queue_at_the_rate_that_was_asked_for(cloud: World) -> None:
    await with_dead_letters(cloud, 3)
    other = (await call(cloud, "CreateQueue", QueueName="other"))["QueueUrl"]
    began = cloud.ctx.clock.now()
    moving = {"SourceArn": f"{ARN}dead", "DestinationArn": f"{ARN}other", "MaxNumberOfMessagesPerSecond": 1}
    await call(cloud, "StartMessageMoveTask", **moving)
    with pytest.raises(AwsError, match="There is already a task running"):
        await call(cloud, "StartMessageMoveTask", **moving)
    assert (await ended(cloud))["Status"] == "COMPLETED"
    assert cloud.ctx.clock.now() - began >= 3
    assert await bodies(cloud, other) == ["0", "1", "2"]


async def test_a_task_can_be_cancelled(cloud: World) -> None:
    await with_dead_letters(cloud, 3)
    moving = {"SourceArn": f"{ARN}dead", "MaxNumberOfMessagesPerSecond": 1}
    handle = (await call(cloud, "StartMessageMoveTask", **moving))["TaskHandle"]
    await call(cloud, "CancelMessageMoveTask", TaskHandle=handle)
    task = await ended(cloud)
    assert task["Status"] == "CANCELLED" and task["ApproximateNumberOfMessagesMoved"] < 3 and "TaskHandle" not in task
    with pytest.raises(AwsError, match="Task does not exist"):
        await call(cloud, "CancelMessageMoveTask", TaskHandle=handle)


async def test_only_a_dead_letter_queue_can_be_moved(cloud: World) -> None:
    await call(cloud, "CreateQueue", QueueName="plain")
    with pytest.raises(AwsError, match="must be configured as a Dead Letter Queue"):
        await call(cloud, "StartMessageMoveTask", SourceArn=f"{ARN}plain")
    with pytest.raises(AwsError, match="specified for the SourceArn parameter doesn't exist"):
        await call(cloud, "StartMessageMoveTask", SourceArn=f"{ARN}none")
