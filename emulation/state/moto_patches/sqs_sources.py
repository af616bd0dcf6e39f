"""Where a message of a dead-letter queue comes from: its attribute DeadLetterQueueSourceArn, which moto leaves out."""

from __future__ import annotations

from typing import Any

from .replace import extend

_NAME = "DeadLetterQueueSourceArn"


def remember() -> None:
    """Call it after importing `moto.sqs`. Idempotent."""
    from moto.sqs.models import Queue  # noqa: PLC0415 - heavy: only where moto runs
    from moto.sqs.responses import SQSResponse  # noqa: PLC0415

    extend(Queue, "add_message", _add)
    extend(SQSResponse, "receive_message", _receive)


def _add(add: Any, queue: Any, message: Any) -> None:
    came_from = message.__dict__.get("queue_arn")
    if came_from not in (None, queue.queue_arn):
        message.source_arn = came_from
    message.queue_arn = queue.queue_arn
    add(queue, message)


def _receive(receive: Any, self: Any) -> Any:
    answer = receive(self)
    wanted = {*self._get_param("AttributeNames", []), *self._get_param("MessageSystemAttributeNames", [])}
    if answer.result and wanted & {"All", _NAME}:
        queue = self.sqs_backend.get_queue(self._get_queue_name())
        sources = {each.id: each.source_arn for each in queue._messages if "source_arn" in each.__dict__}
        for message in answer.result["Messages"]:
            if message["MessageId"] in sources:
                message.setdefault("Attributes", {})[_NAME] = sources[message["MessageId"]]
    return answer
