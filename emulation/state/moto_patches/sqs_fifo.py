"""FIFO queues as AWS documents them; moto forgets a message's deduplication with the message, and its order at a
timeout.

- A duplicate within five minutes is swallowed, also after the first was deleted, and gets the first one's ids. With
  DeduplicationScope=messageGroup only within its group.
- A receive takes as many messages as it can of one group before those of the next, in order. A group with a message in
  flight gives none.
- Sequence numbers grow. A receipt handle is of no use after its visibility timeout.
- The queue's delay counts, never a message's.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from itertools import count
from typing import Any

from .replace import extend

DEDUPLICATION = 300_000
"""AWS milliseconds: the deduplication interval."""
_FIRST_SEQUENCE_NUMBER, _STEP = 18849496460467696128, 256
"""As AWS's numbers look: 20 digits that grow by 256 or more."""


def order_and_deduplicate() -> None:
    """Call it after importing `moto.sqs`. Idempotent."""
    from moto.sqs.models import Queue, SQSBackend  # noqa: PLC0415 - heavy: only where moto runs

    extend(Queue, "add_message", _add)
    extend(SQSBackend, "send_message", _send)
    extend(SQSBackend, "receive_message", _receive)
    extend(SQSBackend, "delete_message", _delete)


def _send(send: Any, self: Any, queue_name: str, message_body: str, **options: Any) -> Any:
    if self.get_queue(queue_name).fifo_queue and options.get("delay_seconds") == 0:
        options["delay_seconds"] = None
    return send(self, queue_name, message_body, **options)


def _add(add: Any, queue: Any, message: Any) -> None:
    if not queue.fifo_queue:
        add(queue, message)
        return
    first = _first_of(queue, message)
    if first is not None:
        message.id, message.sequence_number = first.id, first.sequence_number
        return
    numbers = queue.__dict__.setdefault("sequence_numbers", count(_FIRST_SEQUENCE_NUMBER, _STEP))
    message.sequence_number = str(next(numbers))
    identity, message.deduplication_id = message.deduplication_id, None  # moto compares those of messages left
    add(queue, message)
    message.deduplication_id = identity


def _first_of(queue: Any, message: Any) -> Any:
    """The message that this one repeats within the interval, if any; else it is noted as the first."""
    sent = queue.__dict__.setdefault("deduplicated", {})
    oldest = message.sent_timestamp - DEDUPLICATION
    for key in [key for key, each in sent.items() if each.sent_timestamp <= oldest]:
        del sent[key]
    scope = message.group_id if queue.deduplication_scope == "messageGroup" else None
    first = sent.setdefault((scope, message.deduplication_id), message)
    return first if first is not message else None


def _receive(receive: Any, self: Any, queue_name: str, most: int, *options: Any) -> Any:
    from moto.sqs.models import _filter_message_attributes  # noqa: PLC0415 - heavy

    queue = self.get_queue(queue_name)
    if not queue.fifo_queue:
        return receive(self, queue_name, most, *options)
    _, visibility_timeout, *attribute_names = options  # the first is the wait, which the controller does
    received: list[Any] = []
    for message in _in_order(queue):
        if len(received) == most:
            break
        if not self.is_message_valid_based_on_retention_period(queue_name, message):
            queue._messages.remove(message)
        elif _is_dead(queue, message):
            queue._messages.remove(message)
            message.source_arn, message.queue_arn = queue.queue_arn, queue.dead_letter_queue.queue_arn
            queue.dead_letter_queue._messages.append(message)
        else:
            message.mark_received(visibility_timeout=visibility_timeout)
            copy = deepcopy(message)
            _filter_message_attributes(copy, *(attribute_names or [[]]))
            received.append(copy)
    return received


def _in_order(queue: Any) -> Iterator[Any]:
    """The receivable messages, group by group, in the order of each group's oldest."""
    groups: dict[str, list[Any]] = {}
    blocked = set()
    for message in queue._messages:
        groups.setdefault(message.group_id, []).append(message)
        if not message.visible or message.delayed:
            blocked.add(message.group_id)
    for group, messages in groups.items():
        if group not in blocked:
            yield from messages


def _is_dead(queue: Any, message: Any) -> bool:
    if queue.dead_letter_queue is None or not queue.redrive_policy:
        return False
    return bool(message.approximate_receive_count >= queue.redrive_policy["maxReceiveCount"])


def _delete(delete: Any, self: Any, queue_name: str, receipt_handle: str) -> None:
    from moto.sqs.exceptions import InvalidParameterValue  # noqa: PLC0415 - heavy

    queue = self.get_queue(queue_name)
    if queue.fifo_queue:
        for message in queue._messages:
            if message.had_receipt_handle(receipt_handle) and message.visible:
                raise InvalidParameterValue(
                    f"Value {receipt_handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has "
                    "expired."
                )
    delete(self, queue_name, receipt_handle)
