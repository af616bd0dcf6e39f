"""Hermes' reply mails: the headers that mail programs sort by, and the thread id for the next mail."""

from __future__ import annotations

import email.message
import re

from .. import facts
from .terms import broken

_MESSAGE_ID = re.compile(r"<[^<>\s]+>")
_KINDS = ("text/plain", "text/html")


def check_reply(message: email.message.EmailMessage) -> None:
    """Check a reply mail, whichever mail it answers. Raises `ContractBroken`."""
    __tracebackhide__ = True
    breaches = [
        f"header {name} is missing" for name in ("From", "To", "Message-ID", "Date") if not _header(message, name)
    ]
    if not _header(message, "Subject").lower().startswith("re: "):
        breaches.append(f"Subject is {_header(message, 'Subject')!r}, expected it to begin with 'Re: '")
    original = _header(message, "In-Reply-To")
    if not _MESSAGE_ID.fullmatch(original):
        breaches.append(f"In-Reply-To is {original or 'missing'}, expected the Message-ID of one mail")
    elif original not in _header(message, "References"):
        breaches.append(f"References do not name {original}, which it replies to")
    if message.get_content_type() != "multipart/alternative":
        breaches.append(f"Content-Type is {message.get_content_type()}, expected multipart/alternative")
    there = {part.get_content_type() for part in message.walk()}
    breaches += [f"it has no part {kind}" for kind in _KINDS if kind not in there]
    if facts.conversation_id(message) is None:
        breaches.append("the footer 'Conversation ID: …' is missing, by which a stripped answer finds its thread")
    if breaches:
        raise broken("ReplyMail", f"the mail {_header(message, 'Subject')!r} to {_header(message, 'To')}", breaches)


def _header(message: email.message.EmailMessage, name: str) -> str:
    return " ".join(str(message.get(name, "")).split())
