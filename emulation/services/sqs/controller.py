"""The queue controller. Messages live in the base; when they can be received is known here.

SendMessage, SNS Publish, visibility changes --watched--> the queue's line --wakes--> ReceiveMessage --> base
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...core.controller import Call, Context, Datum, Handler, Operation, Watcher
from ...core.errors import AwsError
from .queue import Queue, Timing

Answer = dict[str, Any]
_PURGE_INTERVAL = 60
"""AWS seconds between two purges of a queue."""
_NAME_HELD = 60
"""AWS seconds a deleted queue's name cannot be used again."""
_DEPTH = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class Queues:
    """A controller and a `MetricSource` (AWS/SQS).

    A message that reaches a queue by another way than SQS and SNS (an S3 notification, say) is found by the next
    receive, or when a waiting one has waited its time.
    """

    def __init__(self, ctx: Context, late: Sequence[float] = ()) -> None:
        """`late`: wall seconds after which to look again for what a topic or a delay brings, where the base delivers
        in its own time."""
        self._ctx = ctx
        self._late = late
        self._queues: dict[str, Queue] = {}
        self._deleted: dict[str, float] = {}
        self._subscribers: dict[str, set[str]] = {}
        self._returning: set[asyncio.Task[None]] = set()

    def handlers(self) -> Mapping[Operation, Handler]:
        return {
            ("sqs", "ReceiveMessage"): self._receive,
            ("sqs", "PurgeQueue"): self._purge,
            ("sqs", "CreateQueue"): self._create,
        }

    def watchers(self) -> Mapping[Operation, Watcher]:
        return {
            ("sqs", "SendMessage"): self._on_send,
            ("sqs", "SendMessageBatch"): self._on_send_batch,
            ("sqs", "DeleteMessage"): self._on_delete_message,
            ("sqs", "DeleteMessageBatch"): self._on_delete_batch,
            ("sqs", "ChangeMessageVisibility"): self._on_visibility,
            ("sqs", "ChangeMessageVisibilityBatch"): self._on_visibility_batch,
            ("sqs", "SetQueueAttributes"): self._on_attributes,
            ("sqs", "DeleteQueue"): self._on_delete_queue,
            ("sns", "Subscribe"): self._on_subscribe,
            ("sns", "Publish"): self._on_publish,
            ("sns", "PublishBatch"): self._on_publish_batch,
        }

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        for queue in self._queues.values():
            queue.line.close()
        await asyncio.gather(*self._returning, return_exceptions=True)

    async def collect(self) -> Iterable[Datum]:
        """The AWS/SQS metrics of every queue used within the last six AWS hours."""
        data: list[Datum] = []
        for queue in list(self._queues.values()):
            if queue.activity.is_active(self._ctx.clock.now()) and await self._read_depth(queue):
                data += queue.activity.report(*queue.depth, now=self._ctx.clock.now())
        return data

    async def _receive(self, call: Call) -> Answer:
        params = dict(call.params)
        _check_range("MaxNumberOfMessages", params.get("MaxNumberOfMessages", 1), 1, 10, "Must be between 1 and 10")
        _check_range("WaitTimeSeconds", params.get("WaitTimeSeconds", 0), 0, 20, "Must be >= 0 and <= 20")
        queue = await self._queue(params["QueueUrl"])
        wait = params.pop("WaitTimeSeconds", queue.timing.wait)
        wanted = _wanted_attributes(params)
        params["MessageSystemAttributeNames"] = sorted({*wanted, "SentTimestamp"})
        params["WaitTimeSeconds"] = 0
        visibility = params.get("VisibilityTimeout", queue.timing.visibility)

        async def attempt() -> Answer:
            return await self._attempt(queue, params, visibility, wanted)

        return await (queue.line.receive(attempt, wait) if wait else attempt())

    async def _attempt(self, queue: Queue, params: Answer, visibility: float, wanted: set[str]) -> Answer:
        """Ask the base once. A caller that goes away meanwhile takes no message with it."""
        asked = asyncio.ensure_future(self._ctx.aws.store("sqs", "ReceiveMessage", **params))
        try:
            answer = await asyncio.shield(asked)
        except asyncio.CancelledError:
            task = asyncio.get_running_loop().create_task(self._put_back(queue, asked))
            self._returning.add(task)
            task.add_done_callback(self._returning.discard)
            raise
        messages = answer.get("Messages", [])
        now = self._ctx.clock.now()
        sent = [(message["ReceiptHandle"], int(message["Attributes"]["SentTimestamp"]) / 1000) for message in messages]
        queue.activity.received(sent, now)
        if messages:
            queue.line.due(now + visibility)
        if queue.timing.dead_letters is not None:  # the base moves what was received too often as it receives
            self._nudge(queue.timing.dead_letters)
        if not {"All", "SentTimestamp"} & wanted:
            for message in messages:
                del message["Attributes"]["SentTimestamp"]
                if not message["Attributes"]:
                    del message["Attributes"]
        return answer

    async def _put_back(self, queue: Queue, asked: asyncio.Future[Answer]) -> None:
        """Make what nobody waits for any more visible again."""
        try:
            messages = (await asked).get("Messages", [])
            if messages:
                entries = [
                    {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
                    for index, message in enumerate(messages)
                ]
                await self._ctx.aws.store("sqs", "ChangeMessageVisibilityBatch", QueueUrl=queue.url, Entries=entries)
        except AwsError as error:
            self._ctx.log.warning("messages of %s stay in flight until their visibility ends: %s", queue.name, error)
        queue.line.nudge()

    async def _purge(self, call: Call) -> Answer:
        queue, now = await self._queue(call.params["QueueUrl"]), self._ctx.clock.now()
        if queue.purged_at is not None and now - queue.purged_at < _PURGE_INTERVAL:
            raise AwsError(
                "AWS.SimpleQueueService.PurgeQueueInProgress",
                f"Only one PurgeQueue operation on {queue.name} is allowed every {_PURGE_INTERVAL} seconds.",
                status=403,
            )
        answer = await self._ctx.aws.store("sqs", "PurgeQueue", **call.params)
        queue.purged_at = now
        queue.activity.purged(now)
        return answer

    async def _create(self, call: Call) -> Answer:
        name = call.params["QueueName"]
        deleted = self._deleted.get(name)
        if deleted is not None and self._ctx.clock.now() - deleted < _NAME_HELD:
            raise AwsError(
                "AWS.SimpleQueueService.QueueDeletedRecently",
                f"You must wait {_NAME_HELD} seconds after deleting a queue before you can create another with the "
                "same name.",
            )
        answer = await self._ctx.aws.store("sqs", "CreateQueue", **call.params)
        self._deleted.pop(name, None)
        if name not in self._queues:
            timing = Timing.of(call.params.get("Attributes", {}))
            self._queues[name] = Queue(name, answer["QueueUrl"], self._ctx.clock, timing)
        return answer

    async def _queue(self, url: str) -> Queue:
        """The queue of a URL. Raises what SQS raises when there is none."""
        name = _name(url)
        if name not in self._queues:  # made before us, in a base that outlives the cloud
            answer = await self._ctx.aws.store("sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=["All"])
            timing = Timing.of(answer.get("Attributes", {}))
            self._queues.setdefault(name, Queue(name, url, self._ctx.clock, timing))
        return self._queues[name]

    async def _read_depth(self, queue: Queue) -> bool:
        """Learn how many messages there are; False when the queue is gone. An untouched empty one is not asked."""
        if not queue.activity.changed and not any(queue.depth):
            return True
        queue.activity.changed = False
        try:
            answer = await self._ctx.aws.store(
                "sqs", "GetQueueAttributes", QueueUrl=queue.url, AttributeNames=list(_DEPTH)
            )
        except AwsError:
            return False
        attributes = answer.get("Attributes", {})
        visible, in_flight, delayed = (int(attributes.get(name, 0)) for name in _DEPTH)
        queue.depth = visible, in_flight, delayed
        return True

    def _nudge(self, name: str) -> None:
        if name in self._queues:
            self._queues[name].line.nudge()

    def _known(self, call: Call) -> Queue | None:
        queue = self._queues.get(_name(call.params["QueueUrl"]))
        if queue is not None:
            queue.activity.used(self._ctx.clock.now())
        return queue

    def _arrived(self, queue: Queue, delay: float | None) -> None:
        now = self._ctx.clock.now()
        queue.activity.sent(1, now)
        wait = queue.timing.delay if delay is None else delay
        if wait:
            self._expected(queue, now + wait)
        else:
            queue.line.nudge()

    def _expected(self, queue: Queue, at: float) -> None:
        for seconds in (0.0, *self._late):
            queue.line.due(at + seconds * self._ctx.clock.scale)

    def _on_send(self, call: Call) -> None:
        if (queue := self._known(call)) is not None:
            self._arrived(queue, call.params.get("DelaySeconds"))

    def _on_send_batch(self, call: Call) -> None:
        if (queue := self._known(call)) is not None:
            for entry in call.params["Entries"]:
                self._arrived(queue, entry.get("DelaySeconds"))

    def _on_delete_message(self, call: Call) -> None:
        self._deleted_messages(call, [call.params["ReceiptHandle"]])

    def _on_delete_batch(self, call: Call) -> None:
        self._deleted_messages(call, [entry["ReceiptHandle"] for entry in call.params["Entries"]])

    def _deleted_messages(self, call: Call, handles: list[str]) -> None:
        if (queue := self._known(call)) is not None:
            queue.activity.deleted(handles, self._ctx.clock.now())
            if queue.fifo:  # the next of the message's group is free now
                queue.line.nudge()

    def _on_visibility(self, call: Call) -> None:
        if (queue := self._known(call)) is not None:
            self._hidden_for(queue, call.params["VisibilityTimeout"])

    def _on_visibility_batch(self, call: Call) -> None:
        if (queue := self._known(call)) is not None:
            for entry in call.params["Entries"]:
                self._hidden_for(queue, entry.get("VisibilityTimeout", 0))

    def _hidden_for(self, queue: Queue, seconds: float) -> None:
        if seconds:
            queue.line.due(self._ctx.clock.now() + seconds)
        else:
            queue.line.nudge()

    def _on_attributes(self, call: Call) -> None:
        if (queue := self._known(call)) is not None:
            queue.timing = Timing.of(call.params["Attributes"], queue.timing)

    def _on_delete_queue(self, call: Call) -> None:
        name = _name(call.params["QueueUrl"])
        self._deleted[name] = self._ctx.clock.now()
        if (queue := self._queues.pop(name, None)) is not None:
            queue.line.dissolve()

    def _on_subscribe(self, call: Call) -> None:
        if call.params["Protocol"] == "sqs":
            self._subscribers.setdefault(call.params["TopicArn"], set()).add(_name(call.params["Endpoint"]))

    def _on_publish(self, call: Call) -> None:
        self._published(call.params.get("TopicArn") or call.params.get("TargetArn", ""), 1)

    def _on_publish_batch(self, call: Call) -> None:
        self._published(call.params["TopicArn"], len(call.params["PublishBatchRequestEntries"]))

    def _published(self, topic: str, count: int) -> None:
        for name in self._subscribers.get(topic, ()):
            if (queue := self._queues.get(name)) is not None:
                for _ in range(count):
                    self._arrived(queue, None)
                if self._late:
                    self._expected(queue, self._ctx.clock.now() + queue.timing.delay)


def _name(address: str) -> str:
    """A queue's name from its URL or ARN."""
    return address.rstrip("/").rpartition("/")[2].rpartition(":")[2]


def _wanted_attributes(params: Answer) -> set[str]:
    """The system attributes asked for, taken out of the parameters, by the old name and the new."""
    return {*params.pop("AttributeNames", ()), *params.pop("MessageSystemAttributeNames", ())}


def _check_range(name: str, value: int, low: int, high: int, reason: str) -> None:
    if not low <= value <= high:
        raise AwsError(
            "InvalidParameterValue",
            f"Value {value} for parameter {name} is invalid. Reason: {reason}, if provided.",
        )
