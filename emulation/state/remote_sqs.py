"""SQS at an endpoint, which counts whole wall seconds: translates the times of messages.

Visibility: the endpoint hides a received message for longer than requested, and this module shows it again when its
AWS time is over, before the next receive and before counts are read. Delays are rounded up to whole wall seconds.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.errors import AwsError
from ..time.clock import Clock
from .translation import Terms

Answer = dict[str, Any]
Ask = Callable[[str, str, str, Mapping[str, Any]], Awaitable[Answer]]

LONGEST = 43_200
"""Seconds a message may be hidden: SQS's limit."""
_BATCH = 10
_TIMES = {"CreatedTimestamp": 1, "LastModifiedTimestamp": 1, "SentTimestamp": 1000,
          "ApproximateFirstReceiveTimestamp": 1000}  # fmt: skip
"""Attributes that hold a time as digits, and how many of their units a second has."""
_NUMBER = re.compile(r"\d+(\.\d+)?")
_COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "All")


@dataclass
class _RemoteQueue:
    """One queue."""

    url: str
    """The endpoint's URL of it."""
    visibility: float | None = None
    delay: int | None = None
    """As declared, in AWS seconds."""
    hidden: dict[str, float] = field(default_factory=dict)
    """Receipt handle → the AWS time at which its message is visible again."""


class RemoteQueues:
    def __init__(self, clock: Clock, terms: Terms, ask: Ask) -> None:
        self._clock = clock
        self._terms = terms
        self._ask = ask
        self._known: dict[tuple[str, str], _RemoteQueue] = {}
        self._special: Mapping[str, Callable[[str, _RemoteQueue, Answer], Awaitable[Answer]]] = {
            "ReceiveMessage": self._receive,
            "ChangeMessageVisibility": self._change,
            "ChangeMessageVisibilityBatch": self._change_batch,
            "SendMessage": self._send,
            "SendMessageBatch": self._send_batch,
            "DeleteMessage": self._delete,
            "DeleteMessageBatch": self._delete_batch,
            "GetQueueAttributes": self._attributes,
            "SetQueueAttributes": self._set,
        }

    async def call(self, operation: str, region: str, params: Mapping[str, Any]) -> Answer:
        """One call in the cloud's terms. Raises `AwsError`."""
        asked = dict(params)
        if operation == "CreateQueue":
            return await self._create(region, asked)
        if "QueueUrl" not in asked:
            answer = await self._ask("sqs", operation, region, asked)
            return self._with_our_urls(region, answer)
        name = _name(asked["QueueUrl"])
        queue = await self._queue(region, name)
        asked["QueueUrl"] = queue.url
        special = self._special.get(operation)
        if special is not None:
            return await special(region, queue, asked)
        answer = await self._ask("sqs", operation, region, asked)
        if operation == "DeleteQueue":
            self._known.pop((region, name), None)
        elif operation == "PurgeQueue":
            queue.hidden.clear()
        return self._with_our_urls(region, answer)

    def wall(self, seconds: float) -> int:
        """AWS seconds as whole wall seconds, rounded up."""
        return math.ceil(self._clock.wall(seconds))

    def _hold(self, seconds: float) -> int:
        """How long the endpoint must hide a message that is to be hidden for so many AWS seconds."""
        if not seconds or self._clock.scale == 1:
            return int(seconds)
        return min(LONGEST, self.wall(seconds) + 1)

    def _hide(self, queue: _RemoteQueue, handle: str, seconds: float) -> None:
        if seconds and self._clock.scale != 1:
            queue.hidden[handle] = self._clock.now() + seconds
        else:
            queue.hidden.pop(handle, None)

    async def _create(self, region: str, asked: Answer) -> Answer:
        declared = dict(asked.get("Attributes", {}))
        if "DelaySeconds" in declared:
            asked["Attributes"] = {**declared, "DelaySeconds": str(self.wall(float(declared["DelaySeconds"])))}
        url = (await self._ask("sqs", "CreateQueue", region, asked))["QueueUrl"]
        queue = self._known[region, asked["QueueName"]] = _RemoteQueue(url)
        _declare(queue, {"VisibilityTimeout": 30, "DelaySeconds": 0, **declared})
        return {"QueueUrl": self._ours(asked["QueueName"])}

    async def _queue(self, region: str, name: str) -> _RemoteQueue:
        known = self._known.get((region, name))
        if known is None:
            answer = await self._ask("sqs", "GetQueueUrl", region, {"QueueName": name})
            known = self._known.setdefault((region, name), _RemoteQueue(answer["QueueUrl"]))
        return known

    async def _receive(self, region: str, queue: _RemoteQueue, asked: Answer) -> Answer:
        if queue.visibility is None:
            wanted = {"QueueUrl": queue.url, "AttributeNames": ["VisibilityTimeout"]}
            answer = await self._ask("sqs", "GetQueueAttributes", region, wanted)
            queue.visibility = float(answer.get("Attributes", {}).get("VisibilityTimeout", 30))
        await self._show_again(region, queue)
        seconds = asked.get("VisibilityTimeout", queue.visibility)
        asked["VisibilityTimeout"] = self._hold(seconds)
        asked["WaitTimeSeconds"] = self.wall(asked.get("WaitTimeSeconds", 0))
        answer = await self._ask("sqs", "ReceiveMessage", region, asked)
        for message in answer.get("Messages", ()):
            self._hide(queue, message["ReceiptHandle"], seconds)
            if "Attributes" in message:
                message["Attributes"] = self._with_times(message["Attributes"])
            _envelope(message, self._terms)
        return answer

    async def _show_again(self, region: str, queue: _RemoteQueue) -> None:
        """Make messages visible whose time is over."""
        now = self._clock.now()
        due = [handle for handle, at in queue.hidden.items() if at <= now]
        for handle in due:
            del queue.hidden[handle]
        for start in range(0, len(due), _BATCH):
            entries = [
                {"Id": str(index), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                for index, handle in enumerate(due[start : start + _BATCH])
            ]
            try:
                asked = {"QueueUrl": queue.url, "Entries": entries}
                await self._ask("sqs", "ChangeMessageVisibilityBatch", region, asked)
            except AwsError as error:
                if not error.sender:
                    raise

    async def _change(self, region: str, queue: _RemoteQueue, asked: Answer) -> Answer:
        seconds = asked["VisibilityTimeout"]
        answer = await self._ask(
            "sqs", "ChangeMessageVisibility", region, {**asked, "VisibilityTimeout": self._hold(seconds)}
        )
        self._hide(queue, asked["ReceiptHandle"], seconds)
        return answer

    async def _change_batch(self, region: str, queue: _RemoteQueue, asked: Answer) -> Answer:
        entries = [
            {**each, "VisibilityTimeout": self._hold(each.get("VisibilityTimeout", 0))} for each in asked["Entries"]
        ]
        answer = await self._ask("sqs", "ChangeMessageVisibilityBatch", region, {**asked, "Entries": entries})
        done = {each["Id"] for each in answer.get("Successful", ())}
        for each in asked["Entries"]:
            if each["Id"] in done:
                self._hide(queue, each["ReceiptHandle"], each.get("VisibilityTimeout", 0))
        return answer

    async def _send(self, region: str, queue: _RemoteQueue, asked: Answer) -> Answer:
        return await self._ask("sqs", "SendMessage", region, self._delayed(asked))

    async def _send_batch(self, region: str, queue: _RemoteQueue, asked: Answer) -> Answer:
        entries = [self._delayed(each) for each in asked["Entries"]]
        return await self._ask("sqs", "SendMessageBatch", region, {**asked, "Entries": entries})

    def _delayed(self, asked: Answer) -> Answer:
        return {**asked, "DelaySeconds": self.wall(asked["DelaySeconds"])} if "DelaySeconds" in asked else asked

    async def _delete(self, region: str, queue: _RemoteQueue, asked: Answer) -> Answer:
        answer = await self._ask("sqs", "DeleteMessage", region, asked)
        queue.hidden.pop(asked["ReceiptHandle"], None)
        return answer

    async def _delete_batch(self, region: str, queue: _RemoteQueue, asked: Answer) -> Answer:
        answer = await self._ask("sqs", "DeleteMessageBatch", region, asked)
        done = {each["Id"] for each in answer.get("Successful", ())}
        for each in asked["Entries"]:
            if each["Id"] in done:
                queue.hidden.pop(each["ReceiptHandle"], None)
        return answer

    async def _attributes(self, region: str, queue: _RemoteQueue, asked: Answer) -> Answer:
        if any(name in _COUNTS for name in asked.get("AttributeNames", ())):
            await self._show_again(region, queue)
        answer = await self._ask("sqs", "GetQueueAttributes", region, asked)
        if "Attributes" in answer:
            attributes = self._with_times(answer["Attributes"])
            if "DelaySeconds" in attributes and queue.delay is not None:
                attributes["DelaySeconds"] = str(queue.delay)
            answer["Attributes"] = attributes
        return answer

    async def _set(self, region: str, queue: _RemoteQueue, asked: Answer) -> Answer:
        attributes = dict(asked["Attributes"])
        if "DelaySeconds" in attributes:
            attributes["DelaySeconds"] = str(self.wall(float(attributes["DelaySeconds"])))
        answer = await self._ask("sqs", "SetQueueAttributes", region, {**asked, "Attributes": attributes})
        _declare(queue, asked["Attributes"])
        return answer

    def _with_times(self, attributes: Mapping[str, str]) -> dict[str, str]:
        translated = dict(attributes)
        for name, units in _TIMES.items():
            if _NUMBER.fullmatch(translated.get(name, "")):
                translated[name] = str(int(self._terms.times.to_aws(float(translated[name]) / units) * units))
        return translated

    def _with_our_urls(self, region: str, answer: Answer) -> Answer:
        if "QueueUrl" in answer:
            name = _name(answer["QueueUrl"])
            self._known.setdefault((region, name), _RemoteQueue(answer["QueueUrl"]))
            answer["QueueUrl"] = self._ours(name)
        for key in ("QueueUrls", "queueUrls"):
            if key in answer:
                answer[key] = [self._ours(_name(url)) for url in answer[key]]
        return answer

    def _ours(self, name: str) -> str:
        return f"http://{self._terms.host()}/{self._terms.account}/{name}"


def _declare(queue: _RemoteQueue, attributes: Mapping[str, Any]) -> None:
    if "VisibilityTimeout" in attributes:
        queue.visibility = float(attributes["VisibilityTimeout"])
    if "DelaySeconds" in attributes:
        queue.delay = int(float(attributes["DelaySeconds"]))


def _envelope(message: Answer, terms: Terms) -> None:
    """Translate the time, addresses and topic of an SNS notification."""
    body = message.get("Body", "")
    if not body.startswith("{") or '"Notification"' not in body:
        return
    try:
        notification = json.loads(body)
    except ValueError:
        return
    if (
        not isinstance(notification, dict)
        or notification.get("Type") != "Notification"
        or "TopicArn" not in notification
    ):
        return
    for name in ("TopicArn", "UnsubscribeURL", "SigningCertURL", "SubscribeURL"):
        if isinstance(notification.get(name), str):
            notification[name] = terms.text_back(notification[name])
    notification["Timestamp"] = terms.iso_back(str(notification.get("Timestamp", "")))
    message["Body"] = json.dumps(notification)
    message["MD5OfBody"] = hashlib.md5(message["Body"].encode(), usedforsecurity=False).hexdigest()


def _name(url: str) -> str:
    return url.rstrip("/").rpartition("/")[2]
