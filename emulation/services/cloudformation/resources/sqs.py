"""AWS::SQS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import PropertyError, ResourceError
from ..intrinsics import text
from ..names import physical_name
from ..summary import words
from .base import ResourceType, Work, tagging
from .documents import document

_ATTRIBUTES = (
    "ContentBasedDeduplication DeduplicationScope DelaySeconds FifoQueue FifoThroughputLimit "
    "KmsDataKeyReusePeriodSeconds KmsMasterKeyId MaximumMessageSize MessageRetentionPeriod "
    "ReceiveMessageWaitTimeSeconds RedriveAllowPolicy RedrivePolicy SqsManagedSseEnabled VisibilityTimeout"
)
_DEFAULTS = {
    "DelaySeconds": "0",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "VisibilityTimeout": "30",
}
"""What a queue goes back to when an update takes the property away."""

_NAME_FREE_SECONDS = 60.0
"""AWS seconds until SQS takes the name of a deleted queue again (SQS API reference, CreateQueue)."""
_RETRY_SECONDS = 5.0


def _value(value: Any) -> str:
    return document(value) if isinstance(value, dict) else text(value)


async def create_queue(work: Work) -> None:
    fifo = work.flag("FifoQueue")
    name = work.name(75) if fifo else work.name(80)
    if fifo and "QueueName" not in work.properties:
        name += ".fifo"
    attributes = {each: _value(work.get(each)) for each in _ATTRIBUTES.split() if each in work.properties}
    if not fifo:
        attributes.pop("FifoQueue", None)  # SQS takes true or nothing
    params: dict[str, Any] = {"QueueName": name}
    if attributes:
        params["Attributes"] = attributes
    if work.tags:
        params["tags"] = dict(work.tags)
    await work.refuse_taken(name, "sqs", "GetQueueUrl", QueueName=name)
    answer = await _create(work, params)
    arn = f"arn:aws:sqs:{work.ctx.region}:{work.ctx.account}:{name}"
    work.made(answer["QueueUrl"], Arn=arn, QueueName=name, QueueUrl=answer["QueueUrl"])


async def _create(work: Work, params: Mapping[str, Any]) -> dict[str, Any]:
    """Create the queue; where one of its name was deleted less than 60 seconds ago, as soon as SQS takes the name."""
    deadline = work.ctx.clock.now() + _NAME_FREE_SECONDS
    while True:
        try:
            return await work.call("sqs", "CreateQueue", **params)
        except ResourceError as error:
            if not error.code.endswith("QueueDeletedRecently") or work.ctx.clock.now() > deadline:
                raise
        await work.ctx.clock.sleep(_RETRY_SECONDS)


async def update_queue(work: Work) -> None:
    attributes = {
        name: _value(work.get(name, _DEFAULTS.get(name, ""))) for name in _ATTRIBUTES.split() if work.changed(name)
    }
    if attributes:
        await work.call("sqs", "SetQueueAttributes", QueueUrl=work.physical_id, Attributes=attributes)


async def delete_queue(work: Work) -> None:
    await work.call("sqs", "DeleteQueue", QueueUrl=work.physical_id)


async def create_policy(work: Work) -> None:
    queues = _queues(work.get("Queues"))
    policy = document(work.get("PolicyDocument"))
    name = physical_name(work.stack_name, work.logical_id, work.ctx.ids, 80)
    work.made(name, Id=name)
    for queue in queues:
        await work.call("sqs", "SetQueueAttributes", QueueUrl=queue, Attributes={"Policy": policy})


async def update_policy(work: Work) -> None:
    for queue in set(_queues(work.before["Queues"])) - set(_queues(work.get("Queues"))):
        await work.call("sqs", "SetQueueAttributes", QueueUrl=queue, Attributes={"Policy": ""})
    for queue in _queues(work.get("Queues")):
        policy = document(work.get("PolicyDocument"))
        await work.call("sqs", "SetQueueAttributes", QueueUrl=queue, Attributes={"Policy": policy})


async def delete_policy(work: Work) -> None:
    for queue in _queues(work.get("Queues")):
        await work.call("sqs", "SetQueueAttributes", QueueUrl=queue, Attributes={"Policy": ""})


def _queues(queues: Any) -> list[str]:
    if not isinstance(queues, list):
        raise PropertyError("Value of property Queues must be of type List of String")
    return [text(queue) for queue in queues]


TYPES = (
    ResourceType(
        "AWS::SQS::Queue",
        properties=words(f"{_ATTRIBUTES} QueueName Tags"),
        replacing=words("FifoQueue QueueName"),
        attributes=words("Arn QueueName QueueUrl"),
        named="QueueName",
        create=create_queue,
        update=update_queue,
        delete=delete_queue,
        retag=tagging("sqs", "TagQueue", "UntagQueue", "QueueUrl", by=""),
    ),
    ResourceType(
        "AWS::SQS::QueuePolicy",
        properties=words("PolicyDocument Queues"),
        required=words("PolicyDocument Queues"),
        attributes=words("Id"),
        create=create_policy,
        update=update_policy,
        delete=delete_policy,
    ),
)
