"""Takes messages from the queue, several at a time, and holds on to each until it is dealt with."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Protocol

from ..aws import Aws
from ..aws_errors import AwsError
from ..clock import Clock
from .envelope import Delivery, Malformed, opened

log = logging.getLogger(__name__)

VISIBILITY = 60
"""Seconds a message stays ours without renewal, as its queue has it: how long a mail waits when Hermes is killed."""
RENEW = 15.0
"""AWS seconds between renewals; three of them may be late."""
WAIT = 10
"""Seconds of a long poll; ECS gives a stopping task 30."""
IN_FLIGHT = 30
"""Messages worked on at once."""
MALFORMED_AGAIN = 2
"""Seconds until a malformed message is looked at again, on its way to the dead-letter queue."""
LATER = 30
"""Seconds until a message is tried again that could not be dealt with, times the receives so far."""


class Handler(Protocol):
    async def handle(self, delivery: Delivery, renewal: Callable[[str], None]) -> None:
        """Deal with a mail. Raises `Malformed`, or anything else when it should be delivered again."""
        ...

    async def renew(self, key: str) -> None:
        """Still dealing with the mail of this key."""
        ...


class Consumer:
    def __init__(self, aws: Aws, queue_url: str, handler: Handler, clock: Clock) -> None:
        self._aws = aws
        self._queue_url = queue_url
        self._handler = handler
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._ended = asyncio.Event()

    async def run(self) -> None:
        """Receive until stopped. A queue that cannot be reached is tried again."""
        try:
            while not self._stopping:
                while len(self._tasks) >= IN_FLIGHT:
                    await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
                for message in await self._received(min(10, IN_FLIGHT - len(self._tasks))):
                    task = asyncio.create_task(self._dealt_with(message), name=f"message {message['MessageId']}")
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
        finally:
            self._ended.set()

    async def stop(self, within: float) -> None:
        """Take no more, let those in hand end for so many AWS seconds, and give the rest back to the queue."""
        self._stopping = True
        deadline = self._clock.now() + within
        # A long poll under way may still bring messages, which must be given back too.
        with suppress(TimeoutError):
            async with self._clock.timeout(WAIT + 2):
                await self._ended.wait()
        tasks = set(self._tasks)
        if tasks:
            await self._clock.wait(tasks, max(0.0, deadline - self._clock.now()))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _received(self, most: int) -> list[dict[str, Any]]:
        try:
            answer = await self._aws.call(
                "sqs",
                "receive_message",
                attempts=1,
                QueueUrl=self._queue_url,
                MaxNumberOfMessages=most,
                WaitTimeSeconds=WAIT,
                VisibilityTimeout=VISIBILITY,
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
            )
        except AwsError as error:
            log.warning("the queue cannot be read", extra={"cause": str(error)})
            await self._clock.sleep(1)
            return []
        messages: list[dict[str, Any]] = answer.get("Messages", [])
        return messages

    async def _dealt_with(self, message: dict[str, Any]) -> None:
        handle = message["ReceiptHandle"]
        receives = int(message.get("Attributes", {}).get("ApproximateReceiveCount", 1))
        facts = {"message": message["MessageId"], "receives": receives}
        keys: list[str] = []
        renewing = asyncio.Lock()
        holding = asyncio.create_task(self._hold(handle, keys, renewing))
        again: int | None = None
        try:
            delivery = await opened(message["Body"], self._fetch)
            if delivery is not None:
                await self._handler.handle(delivery, keys.append)
        except Malformed as malformed:
            again = MALFORMED_AGAIN
            log.error("malformed message", extra={"sqsMessage": facts, "cause": str(malformed)})
        except asyncio.CancelledError:
            again = 0
        except AwsError as error:
            again = LATER * receives
            log.warning("a message is tried again later", extra={"sqsMessage": facts, "cause": str(error)})
        except Exception:
            again = LATER * receives
            log.exception("a message failed", extra={"sqsMessage": facts})
        finally:
            async with renewing:  # a renewal under way must not come after what is settled now
                holding.cancel()
        if again is None:
            await self._quietly(self._aws.call("sqs", "delete_message", QueueUrl=self._queue_url, ReceiptHandle=handle))
        else:
            await self._quietly(self._visible_in(handle, again))

    async def _hold(self, handle: str, keys: list[str], renewing: asyncio.Lock) -> None:
        """Keep the message from others, and the lease of the mail in it, until cancelled."""
        while True:
            await self._clock.sleep(RENEW)
            async with renewing:
                await self._quietly(self._visible_in(handle, VISIBILITY))
                for key in keys:
                    await self._quietly(self._handler.renew(key))

    async def _visible_in(self, handle: str, seconds: int) -> None:
        await self._aws.call(
            "sqs",
            "change_message_visibility",
            QueueUrl=self._queue_url,
            ReceiptHandle=handle,
            VisibilityTimeout=seconds,
        )

    async def _fetch(self, bucket: str, key: str) -> bytes:
        answer = await self._aws.call("s3", "get_object", Bucket=bucket, Key=key)
        return bytes(await asyncio.to_thread(answer["Body"].read))

    @staticmethod
    async def _quietly(call: Awaitable[object]) -> None:
        """SQS delivers the message again if this fails, and the mail is known then."""
        try:
            await call
        except AwsError as error:
            log.warning("a message could not be settled", extra={"cause": str(error)})
