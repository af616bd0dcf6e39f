"""The SNS notification about a received mail.

Shape and field order: Amazon SES Developer Guide, "Contents of notifications for Amazon SES email receiving",
and notifications of the real service.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ....core.timestamps import iso_millis
from .. import headers
from ..addresses import bare
from ..headers import Header
from .received import ReceivedMail, Verdicts
from .rules import Action, BounceAction, S3Action, SnsAction, StopAction

SUBJECT = "Amazon SES Email Receipt Notification"
HEADERS_LIMIT = 10 * 1024
"""Maximum bytes of header fields in a notification; further fields are omitted and `headersTruncated` is true."""
_LISTS = {"from": "From", "replyTo": "Reply-To", "to": "To", "cc": "Cc", "bcc": "Bcc"}


def notification(mail: ReceivedMail, recipients: Sequence[str], action: Action, *, now: float) -> str:
    """The notification about an action.

    `recipients` are the envelope recipients the rule matched. Only an SNS action includes the mail's content.
    """
    raw = mail.raw
    fields = headers.parse(raw)
    listed, truncated = _within_limit(fields)
    document: dict[str, Any] = {
        "notificationType": "Received",
        "mail": {
            "timestamp": iso_millis(mail.at),
            "source": mail.arrival.sender,
            "messageId": mail.id,
            "destination": _destination(fields) or list(mail.arrival.recipients),
            "headersTruncated": truncated,
            "headers": [{"name": name, "value": headers.decoded(value)} for name, value in listed],
            "commonHeaders": _common(fields, mail.arrival.sender),
        },
        "receipt": {
            "timestamp": iso_millis(mail.at),
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
    """The mail as the SNS action encodes it. With encoding UTF-8, bytes that are no UTF-8 become U+FFFD."""
    return base64.b64encode(raw).decode() if encoding == "Base64" else raw.decode("utf-8", "replace")


def object_key(prefix: str | None, name: str) -> str:
    """The key under which the S3 action stores a mail."""
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
            raise TypeError(f"{type(action).__name__} has no notification")
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
    return {f"{name}Verdict": {"status": status} for name, status in asdict(verdicts).items()}
