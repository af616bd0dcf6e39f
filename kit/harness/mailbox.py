"""Replies by recipient, parsed from the messages of the replies queue."""

from __future__ import annotations

import email
import email.message
import email.policy
import json
from dataclasses import dataclass, field
from typing import Any

from ..core.clock import epoch
from ..system import contract
from ..system.facts import recipient


@dataclass(frozen=True)
class Reply:
    """A mail that came back."""

    message: email.message.EmailMessage
    sent: float
    """AWS time at which SES took it, epoch seconds."""

    @property
    def in_reply_to(self) -> str:
        return str(self.message.get("In-Reply-To", "")).strip()

    @property
    def message_id(self) -> str:
        return str(self.message.get("Message-ID", "")).strip()

    def text(self) -> str:
        """The first plain text part, or the HTML when there is none."""
        parts = {part.get_content_type(): part for part in reversed(list(self.message.walk()))}
        chosen = parts.get("text/plain") or parts.get("text/html")
        return "\n".join(str(chosen.get_content()).split("\r\n")).strip() if chosen is not None else ""

    def quoted(self) -> str:
        """The text as a mail program quotes it below an answer."""
        lines = "\n".join(f"> {line}".rstrip() for line in self.text().splitlines())
        return f"On {self.message['Date']}, {self.message['From']} wrote:\n{lines}"

    @property
    def is_bounce(self) -> bool:
        """Whether it reports that a mail could not be delivered (RFC 3464)."""
        return self.message.get_content_type() == "multipart/report"

    def __str__(self) -> str:
        return f"{self.message.get('Subject')!r} in reply to {self.in_reply_to or 'nothing'}"


@dataclass(frozen=True)
class Delivery:
    """A message of the replies queue for an address of this run."""

    address: str
    reply: Reply
    first: bool
    """False when the queue delivers the same mail again."""


@dataclass
class Mailbox:
    """The replies of a whole run, by address. Shared by all scenarios: a late reply is still a reply."""

    replies: dict[str, list[Reply]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    """Message ids of SES, to recognize mails that the queue delivers again."""

    def claim(self, address: str) -> None:
        """Keep mail for this address from now on."""
        self.replies.setdefault(address.lower(), [])

    def of(self, address: str) -> list[Reply]:
        return self.replies.get(address.lower(), [])

    def put(self, body: str) -> Delivery | None:
        """Keep the mail in a message of the replies queue; None when its address is not claimed.

        Raises ValueError when it is not an SES notification in an SNS envelope.
        """
        notification = notification_in(body)
        contract.check_message(body, "replies")
        message = email.message_from_string(notification["content"], policy=email.policy.default)
        assert isinstance(message, email.message.EmailMessage)
        address = next(
            (to.lower() for to in notification["mail"].get("destination", ()) if to.lower() in self.replies),
            recipient(message),
        )
        if address not in self.replies:
            return None
        reply = Reply(message, epoch(notification["mail"]["timestamp"]))
        first = notification["mail"]["messageId"] not in self.seen
        if first:
            self.seen.add(notification["mail"]["messageId"])
            self.replies[address].append(reply)
        return Delivery(address, reply, first)


def notification_in(body: str) -> dict[str, Any]:
    """The SES notification inside the SNS envelope of a queue message. Raises ValueError when there is none."""
    try:
        notification: dict[str, Any] = json.loads(json.loads(body)["Message"])
        if not isinstance(notification["content"], str):
            raise TypeError("content is no text")
        _ = notification["mail"]["messageId"], notification["mail"]["timestamp"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"no SES notification in an SNS envelope ({error!r}): {body[:300]}") from None
    return notification
