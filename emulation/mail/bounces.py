"""Delivery status notifications: the mail a sender gets back when theirs did not arrive (RFC 3464)."""

from __future__ import annotations

import email.policy
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage, Message
from email.utils import format_datetime

from emulation.ids import Ids
from emulation.mail import headers
from emulation.mail.addresses import bare
from emulation.mail.boundaries import set_boundaries

POLICY = email.policy.SMTP.clone(max_line_length=200)


@dataclass(frozen=True)
class Failure:
    """Why a mail did not arrive."""

    status: str = "5.0.0"
    """The enhanced status code."""
    diagnostic: str = "550 Requested action not taken: mailbox unavailable"
    """What the receiving server said, or would have said."""
    explanation: str = "An error occurred while trying to deliver the mail to the following recipients:"


def report(
    original: bytes,
    recipients: Sequence[str],
    failure: Failure,
    *,
    sender: str,
    to: str,
    at: datetime,
    mta: str,
    ids: Ids,
) -> bytes:
    """The notification's bytes: an explanation, the machine-readable status, and the original's header section."""
    message = EmailMessage(policy=POLICY)
    message["From"] = sender
    message["To"] = to
    message["Subject"] = "Delivery Status Notification (Failure)"
    message["Date"] = format_datetime(at)
    message["Auto-Submitted"] = "auto-replied"
    if (original_id := headers.first(headers.parse(original), "Message-ID")) is not None:
        message["In-Reply-To"] = original_id
    message["MIME-Version"] = "1.0"
    message["Content-Type"] = "multipart/report; report-type=delivery-status"
    text = EmailMessage(policy=POLICY)
    text.set_content("\n".join([failure.explanation, *recipients, "", failure.diagnostic]))
    message.attach(text)
    message.attach(_status(recipients, failure, mta))
    enclosed = EmailMessage(policy=POLICY)
    enclosed.set_content(headers.split(original)[0] + b"\r\n", maintype="text", subtype="rfc822-headers", cte="8bit")
    message.attach(enclosed)
    set_boundaries(message, ids)
    return message.as_bytes()


def _status(recipients: Sequence[str], failure: Failure, mta: str) -> EmailMessage:
    about_message = Message()
    about_message["Reporting-MTA"] = f"dns; {mta}"
    blocks: list[Message | str] = [about_message]
    for recipient in recipients:
        block = Message()
        block["Final-Recipient"] = f"rfc822; {bare(recipient)}"
        block["Action"] = "failed"
        block["Status"] = failure.status
        block["Diagnostic-Code"] = "smtp; " + " ".join(failure.diagnostic.split())
        blocks.append(block)
    part = EmailMessage(policy=POLICY)
    part["Content-Type"] = "message/delivery-status"
    part.set_payload(blocks)
    return part
