"""What SNS refuses and moto takes, and members of its answers.

https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .replace import extend

_PROTOCOLS = ("http", "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose")
_SUBJECT = re.compile(r"[^\x00-\x1f\x7f]{1,100}")
_RETRIES = {
    "minDelayTarget": 20,
    "maxDelayTarget": 20,
    "numRetries": 3,
    "numMaxDelayRetries": 0,
    "numNoDelayRetries": 0,
    "numMinDelayRetries": 0,
    "backoffFunction": "linear",
}
_DELIVERY_POLICY = {
    "http": {
        "defaultHealthyRetryPolicy": _RETRIES,
        "disableSubscriptionOverrides": False,
        "defaultRequestPolicy": {"headerContentType": "text/plain; charset=UTF-8"},
    }
}
"""https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html"""


def refuse() -> None:
    """Call it after importing `moto.sns`. Idempotent."""
    from moto.sns.models import SNSBackend  # noqa: PLC0415 - heavy: only where moto runs
    from moto.sns.responses import SNSResponse  # noqa: PLC0415

    extend(SNSBackend, "get_topic", _get_topic)
    extend(SNSBackend, "create_topic", _create_topic)
    extend(SNSBackend, "delete_topic", _delete_topic)
    extend(SNSBackend, "publish", _publish)
    extend(SNSBackend, "subscribe", _subscribe)
    extend(SNSBackend, "unsubscribe", _unsubscribe)
    extend(SNSBackend, "get_subscription_attributes", _subscription_attributes)
    extend(SNSResponse, "get_topic_attributes", _topic_attributes)


def _invalid(what: str) -> Exception:
    from moto.sns.exceptions import SNSInvalidParameter  # noqa: PLC0415 - heavy

    error: Exception = SNSInvalidParameter(f"Invalid parameter: {what}")
    return error


def _check_arn(name: str, arn: str) -> None:
    elements = len(arn.split(":"))
    if elements < 6:
        raise _invalid(f"{name} Reason: An ARN must have at least 6 elements, not {elements}")


def _get_topic(get: Any, self: Any, arn: str) -> Any:
    _check_arn("TopicArn", arn)
    if arn.split(":")[3] != self.region_name:
        raise _invalid("TopicArn")
    return get(self, arn)


def _delete_topic(delete: Any, self: Any, arn: str) -> None:
    _check_arn("TopicArn", arn)
    delete(self, arn)


def _create_topic(create: Any, self: Any, name: str, attributes: Any = None, tags: Any = None) -> Any:
    fifo = bool((attributes or {}).get("FifoTopic"))
    if not re.fullmatch(r"[\w-]{1,251}\.fifo" if fifo else r"[\w-]{1,256}", name, re.ASCII):
        raise _invalid("Topic Name")
    before = next((topic for topic in self.topics.values() if topic.name == name), None)
    wanted = create(self, name, attributes, tags)
    if before is not None and attributes and not _has(before, attributes):
        raise _invalid("Attributes Reason: Topic already exists with different attributes")
    if before is not None and tags and tags != before._tags:
        raise _invalid("Tags Reason: Topic already exists with different tags")
    return wanted


def _has(topic: Any, attributes: Mapping[str, Any]) -> bool:
    from moto.core.utils import camelcase_to_underscores  # noqa: PLC0415 - heavy

    return all(
        str(getattr(topic, camelcase_to_underscores(name), "")).lower() == str(value).lower() or name == "Policy"
        for name, value in attributes.items()
    )


def _publish(publish: Any, self: Any, message: str, arn: str | None, **options: Any) -> Any:
    subject = options.get("subject")
    if not message:
        raise _invalid("Empty message")
    if subject is not None and not _SUBJECT.fullmatch(subject):
        raise _invalid("Subject")
    if options.get("message_structure") == "json":
        _check_structure(message)
    if arn is not None and ":endpoint/" not in arn:
        self.get_topic(arn)
    return publish(self, message, arn, **options)


def _check_structure(message: str) -> None:
    try:
        texts = json.loads(message)
    except (ValueError, RecursionError):
        raise _invalid("Message Structure - JSON message body failed to parse") from None
    if not isinstance(texts, dict) or "default" not in texts:
        raise _invalid("Message Structure - No default entry in JSON message body")


def _subscribe(subscribe: Any, self: Any, topic_arn: str, endpoint: str, protocol: str) -> Any:
    if protocol not in _PROTOCOLS:
        raise _invalid(f"Amazon SNS does not support this protocol string: {protocol}")
    return subscribe(self, topic_arn, endpoint, protocol)


def _unsubscribe(unsubscribe: Any, self: Any, subscription_arn: str) -> None:
    _check_arn("SubscriptionArn", subscription_arn)
    unsubscribe(self, subscription_arn)


def _subscription_attributes(get: Any, self: Any, arn: str) -> Any:
    return {"SubscriptionPrincipal": f"arn:aws:iam::{self.account_id}:user/tester", **get(self, arn)}


def _topic_attributes(get: Any, self: Any) -> Any:
    answer = get(self)
    attributes = answer.result["Attributes"]
    if not attributes["DeliveryPolicy"]:
        del attributes["DeliveryPolicy"]
        attributes["EffectiveDeliveryPolicy"] = json.dumps(_DELIVERY_POLICY, separators=(",", ":"))
    topic = self.backend.get_topic(attributes["TopicArn"])
    if hasattr(topic, "signature_version"):
        attributes["SignatureVersion"] = topic.signature_version
    return answer
