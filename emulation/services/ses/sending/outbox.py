"""The outbox: every mail that SES sent."""

from __future__ import annotations

import email
import email.policy
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

from ....core.controller import Context
from ....core.timestamps import iso_millis
from .. import headers

CAPACITY = 10_000
"""Mails kept; then the oldest are dropped."""


@dataclass(frozen=True)
class SentMail:
    id: str
    """The SES message id."""
    at: float
    """AWS time it was accepted, epoch seconds."""
    caller: str
    """The sender's principal: an access key, a task ARN, or "ses" for bounces and auto-replies."""
    sender: str
    """The From address as given, display name and all."""
    return_path: str
    """The envelope's MAIL FROM; empty for the null sender of a bounce."""
    recipients: tuple[str, ...]
    """Bare addresses, To, Cc and Bcc alike."""
    raw: bytes
    kind: str = "mail"
    """One of "mail", "bounce", "complaint" or "auto-reply"."""
    identity: str = ""
    """The verified identity of the sender, whose topics get bounces, complaints and deliveries."""
    feedback_to: str = ""
    """The address to which bounces and complaints are forwarded."""


def new_id(ctx: Context) -> str:
    """An id as SES gives sent mails: the hour in hexadecimal, a UUID, a counter."""
    return f"0101{ctx.clock.now_ms():012x}-{ctx.ids.uuid()}-000000"


class Outbox:
    """Oldest first."""

    def __init__(self) -> None:
        self._mails: deque[SentMail] = deque(maxlen=CAPACITY)

    def add(self, mail: SentMail) -> None:
        self._mails.append(mail)

    def __iter__(self) -> Iterator[SentMail]:
        return iter(self._mails)

    def __len__(self) -> int:
        return len(self._mails)

    def find(self, message_id: str) -> SentMail | None:
        return next((mail for mail in reversed(self._mails) if mail.id == message_id), None)

    def to_json(self) -> list[dict[str, Any]]:
        """For `GET /_emulation/outbox`, newest last, decoded for display."""
        return [describe(mail) for mail in self._mails]


def describe(mail: SentMail) -> dict[str, Any]:
    fields = headers.parse(mail.raw)
    message = email.message_from_bytes(mail.raw, policy=email.policy.default)
    return {
        "id": mail.id,
        "kind": mail.kind,
        "at": iso_millis(mail.at),
        "caller": mail.caller,
        "from": headers.decoded(mail.sender),
        "to": list(mail.recipients),
        "subject": headers.decoded(headers.first(fields, "Subject") or ""),
        "text": body(message, "plain"),
        "html": body(message, "html"),
        "raw": mail.raw.decode("utf-8", "replace"),
    }


def body(message: EmailMessage, kind: str) -> str | None:
    """The text or HTML of a mail, decoded; None when it has none or cannot be decoded."""
    try:
        part = message.get_body((kind,))
        return None if part is None else str(part.get_content()).replace("\r\n", "\n")
    except (LookupError, UnicodeError, ValueError, AttributeError, TypeError):
        return None  # malformed mail; its raw form is available
