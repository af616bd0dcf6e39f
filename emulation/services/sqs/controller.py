"""The SQS controller. The base stores messages; this controller knows when they become receivable.

SendMessage, SNS Publish, visibility changes --watched--> LongPolls --wakes--> ReceiveMessage --> base
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...core.background_tasks import BackgroundTasks
from ...core.controller import Call, Context, Datum, Handler, Operation, Watcher
from ...core.errors import AwsError
from ...state.operations import handlers
from ..controller_base import ControllerBase
from .move_tasks import MoveTasks
from .queue import Queue, Timing

Answer = dict[str, Any]
GRACE = 2.0
"""Wall seconds in which received messages are still returned when the cloud stops."""
_PURGE_INTERVAL = 60
"""AWS seconds between two purges of a queue."""
_NAME_RESERVED = 60
"""AWS seconds for which the name of a deleted queue cannot be reused."""
_DEPTH = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class Sqs(ControllerBase):
    """A controller and a `MetricSource` (AWS/SQS).

    A message that does not come by SQS or SNS (an S3 notification, say) is found by the next receive, or when a long
    poll times out.
    """

    def __init__(self, ctx: Context, late: Sequence[float] = ()) -> None:
        """`late`: wall seconds after which to retry for delayed messages and those of a topic, for a base that
        delivers them late."""
        self._ctx = ctx
        self._late = late
        self._queues: dict[str, Queue] = {}
        self._deleted: dict[str, float] = {}
        self._subscribers: dict[str, set[str]] = {}
        self._tasks = BackgroundTasks(ctx.log)
        self._moves = MoveTasks(ctx, self._tasks)

    def handlers(self) -> Mapping[Operation, Handler]:
        return handlers("sqs", self, self._moves)

    def watchers(self) -> Mapping[Operation, Watcher]:
        return {
            ("sqs", "SendMessage"): self._on_send,
            ("sqs", "SendMessageBatch"): self._on_send,
            ("sqs", "DeleteMessage"): self._on_delete_message,
            ("sqs", "DeleteMessageBatch"): self._on_delete_message,
            ("sqs", "ChangeMessageVisibility"): self._on_visibility,
            ("sqs", "ChangeMessageVisibilityBatch"): self._on_visibility,
            ("sqs", "SetQueueAttributes"): self._on_attributes,
            ("sqs", "DeleteQueue"): self._on_delete_queue,
            ("sns", "Subscribe"): self._on_subscribe,
            ("sns", "Publish"): self._on_publish,
            ("sns", "PublishBatch"): self._on_publish,
        }

    async def stop(self) -> None:
        for queue in self._queues.values():
            queue.long_polls.close()
        await self._tasks.stop(GRACE)

    async def collect(self) -> Iterable[Datum]:
        """The AWS/SQS metrics of every queue used within the last six AWS hours."""
        data: list[Datum] = []
        for queue in list(self._queues.values()):
            if queue.activity.is_active(self._ctx.clock.now()) and await self._read_depth(queue):
                data += queue.activity.report(*queue.depth, now=self._ctx.clock.now())
        return data

    async def receive_message(self, call: Call) -> Answer:
        params = dict(call.params)
        _check_range("MaxNumberOfMessages", params.get("MaxNumberOfMessages", 1), 1, 10, "Must be between 1 and 10")
        _check_range("WaitTimeSeconds", params.get("WaitTimeSeconds", 0), 0, 20, "Must be >= 0 and <= 20")
        queue = await self._queue(params["QueueUrl"])
        wait = params.pop("WaitTimeSeconds", queue.timing.wait)
        wanted = _wanted_attributes(params)
        params["MessageSystemAttributeNames"] = sorted({*wanted, "SentTimestamp"})
        params["WaitTimeSeconds"] = 0
        if "*" in params.get("MessageAttributeNames", ()):
            params["MessageAttributeNames"] = ["All"]
        visibility = params.get("VisibilityTimeout", queue.timing.visibility)

        async def attempt() -> Answer:
            return await self._attempt(queue, params, visibility, wanted)

        return await (queue.long_polls.receive(attempt, wait) if wait else attempt())

    async def _attempt(self, queue: Queue, params: Answer, visibility: float, wanted: set[str]) -> Answer:
        """Receive from the base once. When the call is cancelled, its messages become visible again."""
        received = asyncio.ensure_future(self._ctx.aws.store("sqs", "ReceiveMessage", **params))
        try:
            answer = await asyncio.shield(received)
        except asyncio.CancelledError:
            self._tasks.run(f"returning messages to {queue.name}", self._put_back(queue, received))
            raise
        messages = answer.get("Messages", [])
        now = self._ctx.clock.now()
        sent = [(message["ReceiptHandle"], int(message["Attributes"]["SentTimestamp"]) / 1000) for message in messages]
        queue.activity.received(sent, now)
        if messages:
            queue.long_polls.notify_at(now + visibility)
        if queue.timing.dead_letters is not None:  # the base moves messages there during a receive
            self._notify(queue.timing.dead_letters)
        if not {"All", "SentTimestamp"} & wanted:
            for message in messages:
                del message["Attributes"]["SentTimestamp"]
                if not message["Attributes"]:
                    del message["Attributes"]
        return answer

    async def _put_back(self, queue: Queue, received: asyncio.Future[Answer]) -> None:
        """Make received messages visible again."""
        try:
            messages = (await received).get("Messages", [])
            if messages:
                entries = [
                    {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
                    for index, message in enumerate(messages)
                ]
                await self._ctx.aws.store("sqs", "ChangeMessageVisibilityBatch", QueueUrl=queue.url, Entries=entries)
        except AwsError as error:
            self._ctx.log.warning("messages of %s stay in flight until their visibility ends: %s", queue.name, error)
        queue.long_polls.notify()

    async def purge_queue(self, call: Call) -> Answer:
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

    async def create_queue(self, call: Call) -> Answer:
        name = call.params["QueueName"]
        deleted = self._deleted.get(name)
        if deleted is not None and self._ctx.clock.now() - deleted < _NAME_RESERVED:
            raise AwsError(
                "AWS.SimpleQueueService.QueueDeletedRecently",
                f"You must wait {_NAME_RESERVED} seconds after deleting a queue before you can create another with the "
                "same name.",
            )
        answer = await self._ctx.aws.store("sqs", "CreateQueue", **call.params)
        self._deleted.pop(name, None)
        if name not in self._queues:
            timing = Timing.of(call.params.get("Attributes", {}))
            self._queues[name] = Queue(name, answer["QueueUrl"], self._ctx.clock, timing)
        return answer

    async def _queue(self, url: str) -> Queue:
        """The queue of a URL. Raises SQS's error when it does not exist."""
        name = _name(url)
        if name not in self._queues:  # created earlier, in a base that outlives the cloud
            answer = await self._ctx.aws.store("sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=["All"])
            timing = Timing.of(answer.get("Attributes", {}))
            self._queues.setdefault(name, Queue(name, url, self._ctx.clock, timing))
        return self._queues[name]

    async def _read_depth(self, queue: Queue) -> bool:
        """Read the number of messages, unless the queue is empty and unchanged; False when it no longer exists."""
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

    def _notify(self, name: str) -> None:
        if name in self._queues:
            self._queues[name].long_polls.notify()

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
            queue.long_polls.notify()

    def _expected(self, queue: Queue, at: float) -> None:
        for seconds in (0.0, *self._late):
            queue.long_polls.notify_at(at + seconds * self._ctx.clock.scale)

    def _on_send(self, call: Call) -> None:
        if (queue := self._known(call)) is not None:
            for entry in _entries(call):
                self._arrived(queue, entry.get("DelaySeconds"))

    def _on_delete_message(self, call: Call) -> None:
        if (queue := self._known(call)) is not None:
            queue.activity.deleted([entry["ReceiptHandle"] for entry in _entries(call)], self._ctx.clock.now())
            if queue.fifo:  # the next message of the group is available now
                queue.long_polls.notify()

    def _on_visibility(self, call: Call) -> None:
        if (queue := self._known(call)) is not None:
            for entry in _entries(call):
                if seconds := entry.get("VisibilityTimeout", 0):
                    queue.long_polls.notify_at(self._ctx.clock.now() + seconds)
                else:
                    queue.long_polls.notify()

    def _on_attributes(self, call: Call) -> None:
        if (queue := self._known(call)) is not None:
            queue.timing = Timing.of(call.params["Attributes"], queue.timing)

    def _on_delete_queue(self, call: Call) -> None:
        name = _name(call.params["QueueUrl"])
        self._deleted[name] = self._ctx.clock.now()
        if (queue := self._queues.pop(name, None)) is not None:
            queue.long_polls.queue_deleted()

    def _on_subscribe(self, call: Call) -> None:
        if call.params["Protocol"] == "sqs":
            self._subscribers.setdefault(call.params["TopicArn"], set()).add(_name(call.params["Endpoint"]))

    def _on_publish(self, call: Call) -> None:
        topic = call.params.get("TopicArn") or call.params.get("TargetArn", "")
        messages = len(call.params.get("PublishBatchRequestEntries", (call.params,)))
        for name in self._subscribers.get(topic, ()):
            if (queue := self._queues.get(name)) is not None:
                for _ in range(messages):
                    self._arrived(queue, None)
                if self._late:
                    self._expected(queue, self._ctx.clock.now() + queue.timing.delay)


def _entries(call: Call) -> Sequence[Mapping[str, Any]]:
    """The entries of a batch; the parameters of a single operation as its one entry."""
    entries: Sequence[Mapping[str, Any]] = call.params.get("Entries", (call.params,))
    return entries


def _name(address: str) -> str:
    """A queue's name from its URL or ARN."""
    return address.rstrip("/").rpartition("/")[2].rpartition(":")[2]


def _wanted_attributes(params: Answer) -> set[str]:
    """Remove the system attributes requested, by the old name or the new, from the parameters."""
    return {*params.pop("AttributeNames", ()), *params.pop("MessageSystemAttributeNames", ())}


def _check_range(name: str, value: int, low: int, high: int, reason: str) -> None:
    if not low <= value <= high:
        raise AwsError(
            "InvalidParameterValue",
            f"Value {value} for parameter {name} is invalid. Reason: {reason}, if provided.",
        )
