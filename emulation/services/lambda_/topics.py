"""Invokes functions that subscribe to SNS topics: asynchronously, if the function permits the topic.

https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

from ...core.background_tasks import BackgroundTasks
from ...core.controller import Context
from ...core.errors import AwsError
from .invoker import Invoker


class Topics:
    def __init__(self, ctx: Context, invoker: Invoker) -> None:
        self._ctx = ctx
        self._invoker = invoker
        self._tasks = BackgroundTasks(ctx.log)

    def deliverer(self) -> Callable[[str, str, Mapping[str, Any], str], None]:
        """Takes a function's ARN, the subscription's, the notification, and the ARN of a dead-letter queue or an empty
        string; from any thread."""
        loop = asyncio.get_running_loop()

        def deliver(function: str, subscription: str, notification: Mapping[str, Any], dead_letters: str) -> None:
            loop.call_soon_threadsafe(self._deliver, function, subscription, notification, dead_letters)

        return deliver

    async def stop(self) -> None:
        await self._tasks.stop()

    def _deliver(self, function: str, subscription: str, notification: Mapping[str, Any], dead_letters: str) -> None:
        try:
            permitted = self._invoker.permitted("sns.amazonaws.com", notification["TopicArn"], function)
        except AwsError as error:
            self._ctx.log.warning("%s is not invoked by %s: %s", function, notification["TopicArn"], error)
            if dead_letters:
                self._tasks.run("a dead letter of SNS", self._dead_letter(dead_letters, notification))
            return
        self._invoker.queue(permitted, json.dumps(event(subscription, notification)).encode())

    async def _dead_letter(self, queue: str, notification: Mapping[str, Any]) -> None:
        url = (await self._ctx.aws.call("sqs", "GetQueueUrl", QueueName=queue.rpartition(":")[2]))["QueueUrl"]
        await self._ctx.aws.call("sqs", "SendMessage", QueueUrl=url, MessageBody=json.dumps(notification))


def event(subscription: str, notification: Mapping[str, Any]) -> dict[str, Any]:
    """The event of one notification."""
    renamed = {"SigningCertURL": "SigningCertUrl", "UnsubscribeURL": "UnsubscribeUrl"}
    sns = {renamed.get(name, name): value for name, value in notification.items()}
    sns = {"Subject": None, "MessageAttributes": {}, **sns}
    record = {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": subscription, "Sns": sns}
    return {"Records": [record]}
