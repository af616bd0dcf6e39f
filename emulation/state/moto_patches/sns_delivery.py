"""How SNS delivers to SQS queues and Lambda functions. In moto a queue that is gone fails the publisher.

- A delivery that fails goes to the subscription's dead-letter queue, or nowhere; the publisher never sees it.
- Raw delivery keeps binary attributes. A FIFO topic passes on the deduplication id it made.
- A notification is signed as version 1, unless the topic says 2; those of FIFO topics have a sequence number instead.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from .replace import extend
from .sqs_checks import INVALID

_FIRST_SEQUENCE_NUMBER = 10_000_000_000_000_000_000
"""As AWS's numbers look: 20 digits."""
_log = logging.getLogger("emulation.state")

ToFunction = Callable[[str, str, Mapping[str, Any], str], None]
"""Takes a function's ARN, the subscription's, the notification, and the ARN of a dead-letter queue or nothing."""


@dataclass
class _Functions:
    """moto is a singleton, and so is the service that runs functions."""

    deliver: ToFunction | None = None


_functions = _Functions()


def to_functions(deliver: ToFunction | None) -> None:
    """Invoke subscribed functions by `deliver`, which must not block; None: nothing does."""
    _functions.deliver = deliver


def deliver() -> None:
    """Call it after importing `moto.sns`. Idempotent."""
    from moto.sns.models import Subscription, Topic  # noqa: PLC0415 - heavy: only where moto runs

    extend(Topic, "publish", _publish)
    extend(Subscription, "publish", _deliver)


def _publish(publish: Any, topic: Any, message: str, **options: Any) -> Any:
    if topic.fifo_topic:
        numbers = topic.__dict__.setdefault("sequence_numbers", count(_FIRST_SEQUENCE_NUMBER, 1000))
        topic.sequence_number = str(next(numbers))
        if not options.get("deduplication_id"):
            options["deduplication_id"] = hashlib.sha256(message.encode()).hexdigest()
    return publish(topic, message, **options)


def _deliver(publish: Any, self: Any, message: str, message_id: str, **options: Any) -> None:
    try:
        if self.protocol == "sqs":
            _to_queue(self, message, message_id, **options)
        elif self.protocol == "lambda":
            _to_function(self, message, message_id, **options)
        else:
            publish(self, message, message_id, **options)
    except Exception as error:  # whatever a subscriber does, the publisher has published
        _log.warning("%s does not get %s: %r", self.endpoint, message_id, error)


def _to_queue(
    self: Any,
    message: str,
    message_id: str,
    *,
    subject: str | None = None,
    message_attributes: dict[str, Any] | None = None,
    group_id: str | None = None,
    deduplication_id: str | None = None,
    message_structure: str | None = None,
) -> None:
    from moto.sqs.exceptions import SQSException  # noqa: PLC0415 - heavy

    if not _wants(self, message_attributes, message):
        return
    if message_structure == "json":
        message = self._parse_message_structure(message, self.protocol)
    raw = str(self.attributes.get("RawMessageDelivery")).lower() == "true"
    body = message if raw else _text(_notification(self, message, message_id, subject, message_attributes))
    attributes = {name: _as_sqs(each) for name, each in (message_attributes or {}).items()} if raw else None
    for queue in filter(None, (self.endpoint, _dead_letters(self))):
        *_, region, account, name = queue.split(":")
        identity = deduplication_id if name.endswith(".fifo") else None
        try:
            _queues(account, region).send_message(
                name, body, message_attributes=attributes, deduplication_id=identity, group_id=group_id
            )
        except SQSException as error:
            _log.info("%s does not take %s: %s", queue, message_id, error)
        else:
            return


def _to_function(
    self: Any,
    message: str,
    message_id: str,
    *,
    subject: str | None = None,
    message_attributes: dict[str, Any] | None = None,
    message_structure: str | None = None,
    **_: Any,
) -> None:
    if _functions.deliver is None or not _wants(self, message_attributes, message):
        return
    if message_structure == "json":
        message = self._parse_message_structure(message, self.protocol)
    notification = _notification(self, message, message_id, subject, message_attributes)
    _functions.deliver(self.endpoint, self.arn, notification, _dead_letters(self))


def _wants(self: Any, attributes: dict[str, Any] | None, message: str) -> bool:
    """Whether a message fits the subscription's filter policy."""
    return self._filter_policy_matcher is None or self._filter_policy_matcher.matches(attributes, message)


def _dead_letters(self: Any) -> str:
    redrive = self.attributes.get("RedrivePolicy")
    return str(json.loads(redrive).get("deadLetterTargetArn") or "") if redrive else ""


def _queues(account: str, region: str) -> Any:
    from moto.sqs.models import sqs_backends  # noqa: PLC0415 - heavy

    return sqs_backends[account][region]


def _as_sqs(attribute: dict[str, str]) -> dict[str, Any]:
    kind, value = attribute["Type"], attribute["Value"]
    if kind.startswith("Binary"):
        return {"DataType": kind, "BinaryValue": base64.b64decode(value)}
    return {"DataType": kind, "StringValue": str(value)}


def _text(notification: dict[str, Any]) -> str:
    """JSON as SNS writes it; characters that SQS does not take are escaped."""
    text = json.dumps(notification, indent=2, separators=(",", " : "), ensure_ascii=False)
    return INVALID.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _notification(
    self: Any, message: str, message_id: str, subject: str | None, attributes: dict[str, Any] | None
) -> dict[str, Any]:
    from moto.core.utils import iso_8601_datetime_with_milliseconds  # noqa: PLC0415 - heavy

    topic = self.topic
    region = topic.sns_backend.region_name
    signed = {
        "Message": message,
        "MessageId": message_id,
        **({"Subject": subject} if subject else {}),
        "Timestamp": iso_8601_datetime_with_milliseconds(),
        "TopicArn": topic.arn,
        "Type": "Notification",
    }
    unsubscribe = f"https://sns.{region}.amazonaws.com/?Action=Unsubscribe&SubscriptionArn={self.arn}"
    return {
        "Type": "Notification",
        "MessageId": message_id,
        **({"SequenceNumber": topic.sequence_number} if topic.fifo_topic else {}),
        **{name: signed[name] for name in ("TopicArn", "Subject", "Message", "Timestamp") if name in signed},
        **({} if topic.fifo_topic else _signature(self, signed)),
        "UnsubscribeURL": unsubscribe,
        **({"MessageAttributes": attributes} if attributes else {}),
    }


def _signature(self: Any, signed: dict[str, str]) -> dict[str, str]:
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - heavy
    from cryptography.hazmat.primitives.asymmetric import padding  # noqa: PLC0415

    version = str(getattr(self.topic, "signature_version", "1"))
    if "certificate_url" not in self.__dict__:  # moto makes one for each message
        self.certificate_url = self.get_post_data("", "", None)["SigningCertURL"]
    text = "".join(f"{name}\n{value}\n" for name, value in signed.items())
    # Version 1 of SNS is SHA-1, whatever one thinks of it.
    algorithm = hashes.SHA256() if version == "2" else hashes.SHA1()  # noqa: S303
    signature = self.private_key().sign(text.encode(), padding.PKCS1v15(), algorithm)
    return {
        "SignatureVersion": version,
        "Signature": base64.b64encode(signature).decode(),
        "SigningCertURL": self.certificate_url,
    }
