"""AWS::SQS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import ResourceError
from .base import Job, ResourceType, deleting, retagging
from .documents import policy_type, string_attributes

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
"""The values that an update restores when it drops a property."""

_NAME_FREE_SECONDS = 60.0
"""AWS seconds until the name of a deleted queue is free again (SQS API reference, CreateQueue)."""
_RETRY_SECONDS = 5.0


async def create_queue(job: Job) -> None:
    fifo = job.flag("FifoQueue")
    name = job.name(75) if fifo else job.name(80)
    if fifo and "QueueName" not in job.properties:
        name += ".fifo"
    attributes = string_attributes(job.properties, _ATTRIBUTES)
    if not fifo:
        attributes.pop("FifoQueue", None)  # SQS takes true or nothing
    params: dict[str, Any] = {"QueueName": name}
    if attributes:
        params["Attributes"] = attributes
    if job.tags:
        params["tags"] = dict(job.tags)
    await job.require_unused(name, "sqs", "GetQueueUrl", QueueName=name)
    answer = await _create(job, params)
    job.created(answer["QueueUrl"], Arn=job.arn("sqs", name), QueueName=name, QueueUrl=answer["QueueUrl"])


async def _create(job: Job, params: Mapping[str, Any]) -> dict[str, Any]:
    """Create the queue, retrying while SQS refuses the name of a queue deleted less than 60 seconds ago."""
    deadline = job.ctx.clock.now() + _NAME_FREE_SECONDS
    while True:
        try:
            return await job.call("sqs", "CreateQueue", **params)
        except ResourceError as error:
            if not error.code.endswith("QueueDeletedRecently") or job.ctx.clock.now() > deadline:
                raise
        await job.ctx.clock.sleep(_RETRY_SECONDS)


async def update_queue(job: Job) -> None:
    after = string_attributes(job.properties, _ATTRIBUTES)
    changed = {name: after.get(name, _DEFAULTS.get(name, "")) for name in _ATTRIBUTES.split() if job.changed(name)}
    if changed:
        await job.call("sqs", "SetQueueAttributes", QueueUrl=job.physical_id, Attributes=changed)


async def put_policy(job: Job, queue: str, policy: str | None) -> None:
    await job.call("sqs", "SetQueueAttributes", QueueUrl=queue, Attributes={"Policy": policy or ""})


TYPES = (
    ResourceType(
        "AWS::SQS::Queue",
        properties=f"{_ATTRIBUTES} QueueName Tags",
        create_only="FifoQueue QueueName",
        attributes="Arn QueueName QueueUrl",
        name_property="QueueName",
        create=create_queue,
        update=update_queue,
        delete=deleting("sqs", "DeleteQueue", "QueueUrl"),
        retag=retagging("sqs", by=""),
        stack_tags=False,
    ),
    policy_type("AWS::SQS::QueuePolicy", "Queues", put_policy),
)
