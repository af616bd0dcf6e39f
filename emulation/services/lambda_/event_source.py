"""Polls a queue for a function: batches, partial failures, and messages that become visible again.

https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from ...core.background_tasks import BackgroundTasks
from ...core.controller import Context
from ...core.errors import AwsError
from ..iam import Role
from .function import Function
from .invoker import Invoker

_WAIT = 20
"""AWS seconds of a long poll."""
_RECEIVE = 10
"""Messages of one receive."""
_POLLERS = 5
"""Invocations at a time, unless the mapping's ScalingConfig says otherwise."""
_REST = 5.0
"""AWS seconds before the next attempt on a queue that refused a call."""


class QueuePoller:
    """Runs until `stop`. `settings` are the mapping's, as the API describes them."""

    def __init__(self, ctx: Context, invoker: Invoker, function: Function, settings: Mapping[str, Any]) -> None:
        self._ctx = ctx
        self._invoker = invoker
        self._function = function
        self._settings = settings
        self._queue = str(settings["EventSourceArn"])
        limit = settings.get("ScalingConfig", {}).get("MaximumConcurrency") or _POLLERS
        self._free = asyncio.Semaphore(limit)
        self._batches = BackgroundTasks(ctx.log)
        self._task = asyncio.create_task(self._poll())

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.wait({self._task})
        await self._batches.stop()

    async def _poll(self) -> None:
        url = ""
        while True:
            await self._free.acquire()
            try:
                if not await self._permitted("sqs:ReceiveMessage"):
                    raise AwsError("AccessDenied", "the role does not allow sqs:ReceiveMessage")
                name = self._queue.rpartition(":")[2]
                url = url or (await self._ctx.aws.call("sqs", "GetQueueUrl", QueueName=name))["QueueUrl"]
                messages = await self._batch(url)
            except AwsError as error:
                self._free.release()
                self._ctx.log.info("the event source %s cannot be read: %s", self._queue, error)
                await self._ctx.clock.sleep(_REST, background=True)
                continue
            if messages:
                self._batches.run(f"a batch of {self._queue}", self._handle(url, messages))
            else:
                self._free.release()

    async def _batch(self, url: str) -> list[dict[str, Any]]:
        """Messages up to the batch size; more than one receive only within the batching window."""
        size, window = self._settings["BatchSize"], self._settings.get("MaximumBatchingWindowInSeconds") or 0
        messages = await self._receive(url, size, _WAIT)
        ends = self._ctx.clock.now() + window
        while messages and len(messages) < size and (left := ends - self._ctx.clock.now()) > 0:
            messages += await self._receive(url, size - len(messages), min(_WAIT, int(left)))
        return messages

    async def _receive(self, url: str, most: int, wait: int) -> list[dict[str, Any]]:
        answer = await self._ctx.aws.call(
            "sqs",
            "ReceiveMessage",
            QueueUrl=url,
            MaxNumberOfMessages=min(most, _RECEIVE),
            WaitTimeSeconds=wait,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return list(answer.get("Messages", []))

    async def _handle(self, url: str, messages: list[dict[str, Any]]) -> None:
        try:
            event = {"Records": [self._record(each) for each in messages]}
            outcome = await self._invoker.run(self._function, json.dumps(event).encode())
            failed = {each["MessageId"] for each in messages} if outcome.error else self._failed(outcome.payload)
            done = [each for each in messages if each["MessageId"] not in failed]
            if None not in failed and done and await self._permitted("sqs:DeleteMessage"):
                for first in range(0, len(done), _RECEIVE):
                    some = done[first : first + _RECEIVE]
                    entries = [
                        {"Id": str(index), "ReceiptHandle": each["ReceiptHandle"]} for index, each in enumerate(some)
                    ]
                    await self._ctx.aws.call("sqs", "DeleteMessageBatch", QueueUrl=url, Entries=entries)
        except AwsError as error:  # a throttled function: the messages become visible again
            self._ctx.log.info("a batch of %s is not handled: %s", self._queue, error)
        finally:
            self._free.release()

    def _failed(self, payload: bytes) -> set[str | None]:
        """The messages that the function reported as failed; None among them is a report that fails all."""
        if "ReportBatchItemFailures" not in self._settings.get("FunctionResponseTypes", ()):
            return set()
        try:
            answer = json.loads(payload or b"null") or {}
            return {each["itemIdentifier"] or None for each in answer.get("batchItemFailures") or ()}
        except (ValueError, TypeError, KeyError, AttributeError):
            return {None}

    def _record(self, message: Mapping[str, Any]) -> dict[str, Any]:
        attributes = {
            name: {
                "dataType": each["DataType"],
                **({"stringValue": each["StringValue"]} if "StringValue" in each else {}),
            }
            for name, each in message.get("MessageAttributes", {}).items()
        }
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message.get("Attributes", {}),
            "messageAttributes": attributes,
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self._queue,
            "awsRegion": self._ctx.region,
        }

    async def _permitted(self, action: str) -> bool:
        return await Role(self._ctx.aws, self._function.role).allows(action, self._queue)
