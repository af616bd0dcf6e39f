"""A received mail, with the header fields that SES prepends."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, replace
from email.utils import format_datetime

from ....core.ids import Ids
from ....time.clock import Clock
from .. import headers
from ..headers import Header

_PLAIN = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True)
class Arrival:
    """One SMTP transaction."""

    sender: str
    """MAIL FROM; empty for the null sender of a bounce."""
    recipients: tuple[str, ...]
    """RCPT TO, those that were accepted."""
    content: bytes
    greeting: str = ""
    """The hostname the client sent with EHLO."""
    client: str = "127.0.0.1"
    """The client's IP address."""
    encrypted: bool = False


@dataclass(frozen=True)
class Verdicts:
    """The results of SES's checks: emulated mail passes; spam and virus scans run only when a rule enables them."""

    spam: str = "PASS"
    virus: str = "PASS"
    spf: str = "PASS"
    dkim: str = "PASS"
    dmarc: str = "PASS"

    @classmethod
    def of(cls, *, scanned: bool) -> Verdicts:
        return cls() if scanned else cls(spam="DISABLED", virus="DISABLED")


@dataclass(frozen=True)
class ReceivedMail:
    id: str
    at: float
    """AWS time of reception, epoch seconds."""
    arrival: Arrival
    verdicts: Verdicts
    ses_headers: tuple[Header, ...]
    """The fields SES prepended, in order; values may be folded."""

    @property
    def raw(self) -> bytes:
        """The whole mail as actions pass it on."""
        front = "".join(f"{name}: {value}\r\n" for name, value in self.ses_headers)
        return front.encode("utf-8", "surrogateescape") + self.arrival.content

    def with_header(self, name: str, value: str) -> ReceivedMail:
        return replace(self, ses_headers=(*self.ses_headers, (name, value)))


def receive(arrival: Arrival, verdicts: Verdicts, *, clock: Clock, ids: Ids, region: str) -> ReceivedMail:
    """Assign a message id and add SES's header fields, in SES's order."""
    message_id = ids.alnum(40)
    greeting = arrival.greeting if _PLAIN.fullmatch(arrival.greeting) else "unknown"
    domain = arrival.sender.rpartition("@")[2] or greeting
    checked = f"client-ip={arrival.client}; envelope-from={arrival.sender or '<>'}; helo={greeting};"
    sender_policy = f"pass (spfCheck: domain of {domain} designates {arrival.client} as permitted sender) {checked}"
    author = headers.first(headers.parse(arrival.content), "From") or ""
    author_domain = author.rpartition("@")[2].strip("> ") or domain
    ses_headers: tuple[Header, ...] = (
        ("Return-Path", f"<{arrival.sender}>"),
        (
            "Received",
            f"from {greeting} ({greeting} [{arrival.client}])\r\n"
            f" by inbound-smtp.{region}.amazonaws.com with SMTP id {message_id}\r\n"
            f" for {arrival.recipients[0]};\r\n"
            f" {format_datetime(clock.utcnow())} (UTC)",
        ),
        ("X-SES-Spam-Verdict", verdicts.spam),
        ("X-SES-Virus-Verdict", verdicts.virus),
        ("Received-SPF", sender_policy),
        (
            "Authentication-Results",
            f"amazonses.com;\r\n spf={sender_policy}\r\n dkim=pass header.i=@{author_domain};\r\n"
            f" dmarc=pass header.from={author_domain};",
        ),
        ("X-SES-RECEIPT", base64.b64encode(f"{message_id}:{clock.now_ms()}".encode()).decode()),
    )
    return ReceivedMail(message_id, clock.now(), arrival, verdicts, ses_headers)
