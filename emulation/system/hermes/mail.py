"""Reads a mail: who wrote, in which thread, and what they ask for. Nothing a sender can do makes it raise
anything but `Malformed`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses

from .. import names
from .envelope import Delivery, Malformed
from .markup import to_text
from .quote_stripping import own_words

_CONVERSATION = re.compile(r"Conversation ID:\s*([A-Za-z0-9-]+)")
_THREAD_ADDRESS = re.compile(r"thread-([A-Za-z0-9-]+)@")
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,900}>")
_REPLY_PREFIX = re.compile(r"\s*(re|aw|sv|fwd?|wg)\s*:\s*", re.IGNORECASE)
_DEEPEST_PART = 20
_BULK = ("bulk", "junk", "list", "auto_reply")


@dataclass(frozen=True)
class Mail:
    sender: str
    """The address alone, in lower case."""
    recipients: tuple[str, ...]
    subject: str
    message_id: str | None
    """With its angle brackets."""
    references: tuple[str, ...]
    """The message ids of the thread so far, oldest first."""
    thread_id: str | None
    """None: a new thread."""
    instruction: str
    """What the client wrote; empty when they wrote nothing."""
    automatic: str | None
    """Why this mail must not be answered: a machine wrote it. None for people's mails."""


def read(delivery: Delivery, own_address: str) -> Mail:
    """Raises `Malformed` for what has no sender to answer to."""
    message = message_from_bytes(delivery.raw)
    sender = next(iter(_addresses(message, "From")), "")
    if not sender:
        raise Malformed("The mail has no From address")
    texts = _Texts()
    texts.collect(message)
    in_reply_to = _ids(message, "In-Reply-To")
    references = _ids(message, "References")
    subject = " ".join(_header(message, "Subject").split())
    recipients = delivery.recipients or tuple(_addresses(message, "To", "Cc"))
    return Mail(
        sender=sender.lower(),
        recipients=recipients,
        subject=subject,
        message_id=next(iter(_ids(message, "Message-ID")), None),
        references=references or in_reply_to,
        thread_id=_thread(texts.everything(), _header(message, "In-Reply-To"), _header(message, "References")),
        instruction=texts.own_words() or ("" if _REPLY_PREFIX.match(subject) else subject),
        automatic=_automatic(message, delivery, sender.lower(), own_address.lower()),
    )


class _Texts:
    """The texts of a mail, without attachments and attached mails."""

    def __init__(self) -> None:
        self._plain: list[str] = []
        self._html: list[str] = []

    def collect(self, part: Message, depth: int = 0) -> None:
        content = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(content, list):
            for child in content if depth < _DEEPEST_PART else ():
                if isinstance(child, Message):
                    self.collect(child, depth + 1)
        elif part.get_content_maintype() != "message" and part.get_content_disposition() != "attachment":
            if part.get_content_type() == "text/html":
                self._html.append(to_text(_text(part)))
            elif part.get_content_maintype() in ("text", "multipart"):
                self._plain.append(_text(part))

    def own_words(self) -> str:
        plain = "\n".join(self._plain)
        return own_words(plain if plain.strip() else "\n".join(self._html)).strip()

    def everything(self) -> str:
        return "\n".join([*self._plain, *self._html])


def _thread(text: str, in_reply_to: str, references: str) -> str | None:
    """The first usable id in the text, else in In-Reply-To, else the last one in References."""
    candidates = [match[1] for match in _CONVERSATION.finditer(text)]
    candidates += _THREAD_ADDRESS.findall(in_reply_to)
    candidates += reversed(_THREAD_ADDRESS.findall(references))
    for candidate in candidates:
        try:
            return names.thread_id(candidate).removeprefix("thread-")
        except names.InvalidName:
            continue
    return None


def _automatic(message: Message, delivery: Delivery, sender: str, own_address: str) -> str | None:
    submitted = _header(message, "Auto-Submitted").partition(";")[0].strip().lower()
    if submitted not in ("", "no"):
        return f"Auto-Submitted: {submitted}"
    precedence = _header(message, "Precedence").strip().lower()
    if precedence in _BULK:
        return f"Precedence: {precedence}"
    if delivery.envelope_from in ("", "<>") or _header(message, "Return-Path").strip() == "<>":
        return "it has no return path"
    if message.get_content_type() == "multipart/report":
        return "it is a report"
    local, _, domain = sender.partition("@")
    if local in ("mailer-daemon", "postmaster"):
        return f"it is from {local}"
    own_local, _, own_domain = own_address.partition("@")
    if (local.partition("+")[0], domain) == (own_local, own_domain):
        return "it is from ourselves"
    return "it has a virus" if delivery.has_virus else None


def _text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    charset = part.get_content_charset() or "utf-8"
    try:
        text = payload.decode(charset, "replace")
    except (LookupError, ValueError):
        text = payload.decode("utf-8", "replace")
    text = text.replace("\r\n", "\n")
    return _unflowed(text) if str(part.get_param("format", "")).lower() == "flowed" else text


def _unflowed(text: str) -> str:
    """Joins the lines of `format=flowed` (RFC 3676): a blank at the end of a line means that it goes on."""
    lines: list[str] = []
    goes_on = False
    for line in text.split("\n"):
        stuffed = line[1:] if line.startswith(" ") else line
        if goes_on and not stuffed.startswith(">"):
            lines[-1] += stuffed
        else:
            lines.append(stuffed)
        goes_on = stuffed.endswith(" ") and stuffed != "-- " and not stuffed.startswith(">")
    return "\n".join(lines)


def _header(message: Message, name: str) -> str:
    """A header's text with encoded words decoded; empty when there is none."""
    value = str(message.get(name, ""))
    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, ValueError):
        return value


def _addresses(message: Message, *headers: str) -> list[str]:
    values = [str(value) for name in headers for value in message.get_all(name, [])]
    found = [address for _, address in getaddresses(values)]
    return [address for address in found if 0 < address.find("@") < len(address) - 1 and not _has_control(address)]


def _has_control(text: str) -> bool:
    return any(character <= " " or character == "\x7f" for character in text)


def _ids(message: Message, name: str) -> tuple[str, ...]:
    return tuple(_MESSAGE_ID.findall(str(message.get(name, ""))))
