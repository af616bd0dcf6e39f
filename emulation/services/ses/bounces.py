"""Delivery status notifications: bounce mails (RFC 3464).

Written without the standard library, which refuses to write some malformed originals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from ...core.ids import Ids
from . import headers
from .addresses import bare


@dataclass(frozen=True)
class Failure:
    """Why a mail did not arrive."""

    status: str = "5.0.0"
    """The enhanced status code."""
    diagnostic: str = "550 Requested action not taken: mailbox unavailable"
    """The receiving server's reply."""


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
    boundary = f"----=_Part_{ids.hex(24)}"
    replied = headers.first(headers.parse(original), "Message-ID")
    head = [
        f"From: {_line(sender)}",
        f"To: {_line(to)}",
        "Subject: Delivery Status Notification (Failure)",
        f"Date: {format_datetime(at)}",
        *([] if replied is None else [f"In-Reply-To: {_line(replied)}"]),
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"',
        "",
        "",
    ]
    text = [
        *("Content-Type: text/plain; charset=UTF-8", "Content-Transfer-Encoding: 8bit", ""),
        "An error occurred while trying to deliver the mail to the following recipients:",
        *(_line(recipient) for recipient in recipients),
        *("", _line(failure.diagnostic), "", ""),
    ]
    status = ["Content-Type: message/delivery-status", "", f"Reporting-MTA: dns; {mta}", ""]
    for recipient in recipients:
        status += [
            f"Final-Recipient: rfc822; {_line(bare(recipient))}",
            "Action: failed",
            f"Status: {failure.status}",
            f"Diagnostic-Code: smtp; {_line(failure.diagnostic)}",
            "",
        ]
    enclosed = ["Content-Type: text/rfc822-headers", "Content-Transfer-Encoding: 8bit", "", ""]
    parts = [_text(text), _text([*status, ""]), _text(enclosed) + headers.split(original)[0] + b"\r\n\r\n"]
    separator = f"--{boundary}".encode()
    return _text(head) + b"".join(separator + b"\r\n" + part for part in parts) + separator + b"--\r\n"


def _line(value: str) -> str:
    """A value on one line."""
    return " ".join(value.split())


def _text(lines: Sequence[str]) -> bytes:
    return "\r\n".join(lines).encode("utf-8", "replace")
