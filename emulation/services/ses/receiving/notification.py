"""The JSON SES publishes to SNS about a mail it received.

Shape and field order: Amazon SES Developer Guide, "Contents of notifications for Amazon SES email receiving",
and notifications of the real service.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

from .. import headers
from ..addresses import bare
from ..headers import Header
from ..timestamps import timestamp
from .received import ReceivedMail, Verdicts
from .rules import Action, BounceAction, S3Action, SnsAction, StopAction

SUBJECT = "Amazon SES Email Receipt Notification"
HEADERS_LIMIT = 10 * 1024
"""Bytes of header fields a notification carries; beyond that they are cut off and `headersTruncated` is true."""
_LISTS = {"from": "From", "replyTo": "Reply-To", "to": "To", "cc": "Cc", "bcc": "Bcc"}


def notification(mail: ReceivedMail, recipients: Sequence[str], action: Action, *, now: float) -> str:
    """What SES says when a rule's action was taken.

    `recipients` are the envelope recipients the rule matched. The mail's content goes along with an SNS action only.
    """
    raw = mail.raw
    fields = headers.parse(raw)
    listed, truncated = _within_limit(fields)
    document: dict[str, Any] = {
        "notificationType": "Received",
        "mail": {
            "timestamp": timestamp(mail.at),
            "source": mail.arrival.sender,
            "messageId": mail.id,
            "destination": _destination(fields) or list(mail.arrival.recipients),
            "headersTruncated": truncated,
            "headers": [{"name": name, "value": headers.decoded(value)} for name, value in listed],
            "commonHeaders": _common(fields, mail.arrival.sender),
        },
        "receipt": {
            "timestamp": timestamp(mail.at),
            "processingTimeMillis": max(0, round((now - mail.at) * 1000)),
            "recipients": list(recipients),
            **_verdicts(mail.verdicts),
            "action": describe(action, mail.id),
        },
    }
    if isinstance(action, SnsAction):
        document["content"] = content(raw, action.encoding)
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def content(raw: bytes, encoding: str) -> str:
    """The mail as the SNS action carries it. UTF-8 cannot hold every mail: what is no UTF-8 becomes U+FFFD."""
    return base64.b64encode(raw).decode() if encoding == "Base64" else raw.decode("utf-8", "replace")


def object_key(prefix: str | None, name: str) -> str:
    """Where in its bucket the S3 action stores a mail."""
    return f"{prefix}{'' if prefix.endswith('/') else '/'}{name}" if prefix else name


def describe(action: Action, message_id: str) -> dict[str, str]:
    """The notification's `action` object."""
    match action:
        case SnsAction():
            return {"type": "SNS", "topicArn": action.topic, "encoding": action.encoding.upper().replace("-", "")}
        case S3Action():
            described = {
                "type": "S3",
                "topicArn": action.topic,
                "bucketName": action.bucket,
                "objectKeyPrefix": action.prefix or "",
                "objectKey": object_key(action.prefix, message_id),
            }
        case BounceAction():
            described = {
                "type": "Bounce",
                "topicArn": action.topic,
                "smtpReplyCode": action.reply_code,
                "statusCode": action.status,
                "message": action.message,
                "sender": action.sender,
            }
        case StopAction():
            described = {"type": "Stop", "topicArn": action.topic}
        case _:
            raise TypeError(f"{type(action).__name__} announces nothing")
    return {name: value for name, value in described.items() if value is not None}


def _within_limit(fields: list[Header]) -> tuple[list[Header], bool]:
    size = 0
    for count, (name, value) in enumerate(fields):
        size += len(name) + len(value.encode()) + 4
        if size > HEADERS_LIMIT:
            return fields[:count], True
    return fields, False


def _destination(fields: list[Header]) -> list[str]:
    values = [value for name, value in fields if name.lower() in ("to", "cc")]
    return [address for value in values for mailbox in headers.mailboxes(value) if (address := bare(mailbox))]


def _common(fields: list[Header], sender: str) -> dict[str, Any]:
    common: dict[str, Any] = {"returnPath": sender or "<>"}
    for name, header in _LISTS.items():
        if (value := headers.first(fields, header)) is not None:
            common[name] = headers.mailboxes(value)
        if name == "replyTo" and (date := headers.first(fields, "Date")) is not None:
            common["date"] = date
    if (message_id := headers.first(fields, "Message-ID")) is not None:
        common["messageId"] = message_id
    if (subject := headers.first(fields, "Subject")) is not None:
        common["subject"] = headers.decoded(subject)
    return common


def _verdicts(verdicts: Verdicts) -> dict[str, dict[str, str]]:
    return {
        "spamVerdict": {"status": verdicts.spam},
        "virusVerdict": {"status": verdicts.virus},
        "spfVerdict": {"status": verdicts.spf},
        "dkimVerdict": {"status": verdicts.dkim},
        "dmarcVerdict": {"status": verdicts.dmarc},
    }
