"""What SQS refuses and moto takes, and the texts of refusals.

Ranges: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
Characters: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from .replace import extend

RANGES = {
    "DelaySeconds": (0, 900),
    "KmsDataKeyReusePeriodSeconds": (60, 86_400),
    "MaximumMessageSize": (1024, 1_048_576),
    "MessageRetentionPeriod": (60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43_200),
}
_OTHERS = {"Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId", "SqsManagedSseEnabled"}
_OF_FIFO = {"FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"}
_MOST_ENTRIES = 10
_ENTRY_ID = re.compile(r"[\w-]{1,80}", re.ASCII)
INVALID = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_VALID_CHARACTERS = (
    "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | "
    "#x10000 to #x10FFFF"
)


def refuse() -> None:
    """Call it after importing `moto.sqs`. Idempotent."""
    from moto.sqs.models import Queue, SQSBackend  # noqa: PLC0415 - heavy: only where moto runs

    if "RedriveAllowPolicy" not in Queue.BASE_ATTRIBUTES:
        Queue.BASE_ATTRIBUTES.append("RedriveAllowPolicy")
        Queue.redrive_allow_policy = None
    extend(SQSBackend, "create_queue", _create)
    extend(SQSBackend, "set_queue_attributes", _set)
    extend(SQSBackend, "send_message", _send)
    extend(SQSBackend, "send_message_batch", _send_batch)
    extend(SQSBackend, "delete_message_batch", _checked_batch)
    extend(SQSBackend, "change_message_visibility_batch", _checked_batch)
    extend(SQSBackend, "add_permission", _add_permission)


def _create(create: Any, self: Any, name: str, tags: Any = None, **attributes: Any) -> Any:
    from moto.sqs.exceptions import QueueAlreadyExists, SQSException  # noqa: PLC0415 - heavy

    given = {key: value for key, value in attributes.items() if key != "region"}
    _check_attributes(given, fifo=str(given.get("FifoQueue")).lower() == "true")
    if name.endswith(".fifo") and "FifoQueue" not in given:
        raise SQSException(
            "InvalidParameterValue",
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        )
    try:
        return create(self, name, tags, **attributes)
    except QueueAlreadyExists:
        theirs = self.queues[name].attributes
        different = next(key for key, value in given.items() if str(theirs.get(key)) != str(value))
        raise QueueAlreadyExists(
            f"A queue already exists with the same name and a different value for attribute {different}"
        ) from None


def _set(set_attributes: Any, self: Any, queue_name: str, attributes: dict[str, Any]) -> Any:
    _check_attributes(attributes, fifo=self.get_queue(queue_name).fifo_queue)
    return set_attributes(self, queue_name, attributes)


def _check_attributes(attributes: Mapping[str, Any], *, fifo: bool) -> None:
    from moto.sqs.exceptions import InvalidAttributeName, InvalidAttributeValue  # noqa: PLC0415 - heavy

    for name, value in attributes.items():
        if name in RANGES:
            low, high = RANGES[name]
            if not re.fullmatch(r"\d{1,9}", str(value)) or not low <= int(value) <= high:
                raise InvalidAttributeValue(name)
        elif name not in _OTHERS and not (fifo and name in _OF_FIFO):
            raise InvalidAttributeName(name)


def _send(send: Any, self: Any, queue_name: str, message_body: str, **options: Any) -> Any:
    from moto.sqs.exceptions import MissingParameter, SQSException  # noqa: PLC0415 - heavy

    if not message_body:
        raise MissingParameter("MessageBody")
    if INVALID.search(message_body):
        raise SQSException("InvalidMessageContents", _VALID_CHARACTERS)
    delay = options.get("delay_seconds")
    if delay is not None and int(delay) < 0:
        text = f"Value {delay} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."
        raise SQSException("InvalidParameterValue", text)
    return send(self, queue_name, message_body, **options)


def _send_batch(send: Any, self: Any, queue_name: str, entries: dict[str, dict[str, Any]]) -> Any:
    """Entries with invalid characters fail; the others are sent."""
    _check_entries(entries.values())
    bad = {key: entry for key, entry in entries.items() if INVALID.search(entry["MessageBody"])}
    good = {key: entry for key, entry in entries.items() if key not in bad}
    messages, failed = send(self, queue_name, good) if good else ([], [])
    headers = {entry["Id"]: entry.get("MessageSystemAttributes") for entry in good.values()}
    for message in messages:
        message.system_attributes = headers[message.user_id] or {}
    failed += [
        {"Id": entry["Id"], "SenderFault": True, "Code": "InvalidMessageContents", "Message": _VALID_CHARACTERS}
        for entry in bad.values()
    ]
    return messages, failed


def _checked_batch(change: Any, self: Any, queue_name: str, entries: list[dict[str, Any]]) -> Any:
    _check_entries(entries)
    return change(self, queue_name, entries)


def _check_entries(entries: Iterable[Mapping[str, Any]]) -> None:
    from moto.sqs import exceptions  # noqa: PLC0415 - heavy

    ids = [entry["Id"] for entry in entries]
    if not ids:
        raise exceptions.EmptyBatchRequest
    if len(ids) > _MOST_ENTRIES:
        raise exceptions.TooManyEntriesInBatchRequest(len(ids))
    if not all(_ENTRY_ID.fullmatch(id) for id in ids):
        raise exceptions.InvalidBatchEntryId
    if repeated := [id for id in ids if ids.count(id) > 1]:
        raise exceptions.BatchEntryIdsNotDistinct(repeated[0])


def _add_permission(add: Any, self: Any, **options: Any) -> None:
    queue = self.get_queue(options["queue_name"])
    if not queue._policy_json.get("Statement"):
        queue._policy_json["Version"] = "2008-10-17"  # that of policies which AddPermission begins
    add(self, **options)
