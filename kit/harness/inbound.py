"""The queue between SES and Hermes, and its dead-letter queue."""

from __future__ import annotations

import json
from dataclasses import dataclass

from ..aws.client import Aws
from .context import Context

_LOOK = 5
"""Visibility timeout, AWS seconds, of a look into the dead-letter queue."""


@dataclass(frozen=True)
class Depth:
    """The approximate number of messages in a queue, from SQS."""

    visible: int
    in_flight: int
    """Received and not deleted yet."""

    @property
    def empty(self) -> bool:
        return not (self.visible or self.in_flight)

    def __str__(self) -> str:
        return f"{self.visible} visible, {self.in_flight} in flight"


class Inbound:
    """Reads the inbound queue, and puts messages into it that no mail would make."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._stack = context.cloud.stack

    async def put(self, body: str) -> str:
        """Put a message into the queue; returns its MessageId."""
        answer = await self._context.cloud.aws.call(
            "sqs", "send_message", QueueUrl=self._stack.inbound_queue_url, MessageBody=body
        )
        return str(answer["MessageId"])

    async def max_receives(self) -> int:
        """The `maxReceiveCount` of the redrive policy."""
        answer = await self._context.cloud.aws.call(
            "sqs", "get_queue_attributes", QueueUrl=self._stack.inbound_queue_url, AttributeNames=["RedrivePolicy"]
        )
        return int(json.loads(answer["Attributes"]["RedrivePolicy"])["maxReceiveCount"])

    async def depth(self) -> Depth:
        """The queue's current depth."""
        return await depth_of(self._context.cloud.aws, self._stack.inbound_queue_url)

    async def wait_until_empty(self, *, within: float) -> None:
        """Wait until Hermes has deleted every message."""
        __tracebackhide__ = True
        await self._context.eventually(
            self.depth, until=lambda depth: depth.empty, within=within, describe="the inbound queue to be empty"
        )

    async def wait_for_dead_letter(self, body: str, *, within: float) -> None:
        """Wait for a message with this body in the dead-letter queue and delete it; others stay."""
        __tracebackhide__ = True
        aws, url = self._context.cloud.aws, self._stack.dead_letter_queue_url

        async def look() -> bool:
            answer = await aws.call(
                "sqs",
                "receive_message",
                QueueUrl=url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=_LOOK,
            )
            for message in answer.get("Messages", ()):
                if message["Body"] == body:
                    await aws.call("sqs", "delete_message", QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                    return True
            return False

        await self._context.eventually(
            look,
            within=within,
            every=2.0,
            describe=f"the message {body[:60]!r} in the dead-letter queue",
            next="see Hermes' log: kit logs hermes",
        )

    async def wait_for_complaints(self, message_id: str, number: int, *, since: float, within: float) -> None:
        """Wait for exactly `number` log lines of Hermes that name a message, one for each receipt.

        `since` is AWS epoch seconds, `within` AWS seconds.
        """
        __tracebackhide__ = True
        group = self._context.system.log_group("hermes")

        async def look() -> list[str]:
            events = await self._context.cloud.aws.pages(
                "logs", "filter_log_events", "events", logGroupName=group, startTime=int(since * 1000)
            )
            return [event["message"] for event in events if message_id in event["message"]]

        await self._context.eventually(
            look,
            until=lambda lines: len(lines) == number,
            within=within,
            every=2.0,
            describe=f"exactly {number} lines about message {message_id} in Hermes' log",
        )


async def depth_of(aws: Aws, url: str) -> Depth:
    """The current depth of a queue."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = await aws.call("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=names)
    return Depth(*(int(answer["Attributes"][name]) for name in names))
