"""Every mail that left SES, kept for people and tests to read."""

from __future__ import annotations

import email
import email.policy
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

from ....core.controller import Context
from .. import headers
from ..timestamps import timestamp

CAPACITY = 10_000
"""Mails kept; beyond that the oldest are forgotten."""


@dataclass(frozen=True)
class SentMail:
    id: str
    """The SES message id."""
    at: float
    """AWS time it was accepted, epoch seconds."""
    caller: str
    """Who sent it: an access key, a task ARN, or "ses" for bounces and auto-replies."""
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
    """The verified identity it was sent under; its topics hear of bounces, complaints and deliveries."""
    feedback_to: str = ""
    """Where bounces and complaints are forwarded."""


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
        """For `GET /_emulation/outbox`, newest last, decoded for people."""
        return [describe(mail) for mail in self._mails]


def describe(mail: SentMail) -> dict[str, Any]:
    fields = headers.parse(mail.raw)
    message = email.message_from_bytes(mail.raw, policy=email.policy.default)
    return {
        "id": mail.id,
        "kind": mail.kind,
        "at": timestamp(mail.at),
        "caller": mail.caller,
        "from": headers.decoded(mail.sender),
        "to": list(mail.recipients),
        "subject": headers.decoded(headers.first(fields, "Subject") or ""),
        "text": body(message, "plain"),
        "html": body(message, "html"),
        "raw": mail.raw.decode("utf-8", "replace"),
    }


def body(message: EmailMessage, kind: str) -> str | None:
    """The text or HTML of a mail, decoded as well as it can be; None when it has none."""
    try:
        part = message.get_body((kind,))
        return None if part is None else str(part.get_content()).replace("\r\n", "\n")
    except (LookupError, UnicodeError, ValueError, AttributeError, TypeError):
        return None  # a mail may say anything of itself; its raw form stands beside
