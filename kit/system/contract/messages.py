"""A message of a mail queue: the SNS envelope with SES's notification, which contains the mail."""

from __future__ import annotations

import json
from typing import Literal

from ...core.eventually import shortened
from .terms import IsoTime, Terms, Text, agreed, broken


class SnsEnvelope(Terms):
    """SNS's envelope (raw message delivery is off)."""

    Type: Literal["Notification"]
    MessageId: Text
    TopicArn: Text
    Message: Text
    Timestamp: IsoTime


class ReceivedMail(Terms):
    timestamp: IsoTime
    source: str
    messageId: Text
    destination: list[str]


class ReceiptAction(Terms):
    type: Text


class Receipt(Terms):
    timestamp: IsoTime
    recipients: list[str]
    action: ReceiptAction


class SesNotification(Terms):
    """SES's notification of a received mail, including the mail (raw MIME)."""

    notificationType: Literal["Received"]
    mail: ReceivedMail
    receipt: Receipt
    content: Text


def check_message(body: str, queue: str) -> SesNotification:
    """Check a message's body. Raises `ContractBroken`."""
    __tracebackhide__ = True
    hop = f"a message of queue {queue}"
    envelope = agreed(SnsEnvelope, _json(SnsEnvelope, body, hop), hop)
    hop = f"Message of {envelope.MessageId}, {hop}"
    return agreed(SesNotification, _json(SesNotification, envelope.Message, hop), hop)


def _json(terms: type[Terms], text: str, hop: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        raise broken(terms.__name__, hop, [f"it is no JSON: {shortened(text, 200)}"]) from None
