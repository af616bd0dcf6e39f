"""Composes the MIME form of a mail from the parameters of simple send operations."""

from __future__ import annotations

import email.policy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from typing import Any

from ....core.errors import AwsError
from ....core.ids import Ids

_POLICY = email.policy.SMTP.clone(cte_type="7bit")


@dataclass(frozen=True)
class Text:
    data: str
    charset: str = "UTF-8"

    @classmethod
    def of(cls, content: Mapping[str, Any] | None) -> Text | None:
        """From a botocore `Content`."""
        return None if content is None else cls(content["Data"], content.get("Charset", "UTF-8"))


@dataclass(frozen=True)
class Attachment:
    content: bytes
    filename: str
    media_type: str = "application/octet-stream"
    inline: bool = False
    content_id: str | None = None


@dataclass(frozen=True)
class Letter:
    """The parameters of a simple send operation."""

    sender: str
    to: Sequence[str] = ()
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()
    reply_to: Sequence[str] = ()
    subject: Text = field(default_factory=lambda: Text(""))
    text: Text | None = None
    html: Text | None = None
    headers: Sequence[tuple[str, str]] = ()
    attachments: Sequence[Attachment] = ()

    @property
    def recipients(self) -> list[str]:
        return [*self.to, *self.cc, *self.bcc]

    def with_body(self, subject: Text, text: Text | None, html: Text | None) -> Letter:
        return replace(self, subject=subject, text=text, html=html)


def compose(letter: Letter, ids: Ids) -> bytes:
    """The letter as 7-bit MIME, without the fields SES adds. Raises `InvalidParameterValue`."""
    if letter.text is None and letter.html is None:
        raise AwsError("InvalidParameterValue", "Message body must have a Text or an Html part")
    message = EmailMessage(policy=_POLICY)
    try:
        message["From"] = letter.sender
        for name, mailboxes in (("Reply-To", letter.reply_to), ("To", letter.to), ("Cc", letter.cc)):
            if mailboxes:
                message[name] = ", ".join(mailboxes)
        message["Subject"] = letter.subject.data
        for name, value in letter.headers:
            message[name] = value
        if letter.text is not None:
            message.set_content(letter.text.data, charset=letter.text.charset)
        if letter.html is not None:
            put = message.set_content if letter.text is None else message.add_alternative
            put(letter.html.data, subtype="html", charset=letter.html.charset)
        for attachment in letter.attachments:
            _attach(message, attachment)
        _set_boundaries(message, ids)
        return message.as_bytes()
    except (ValueError, LookupError) as error:  # a line break in a header, an unknown charset, text beyond its charset
        raise AwsError("InvalidParameterValue", f"The message cannot be composed: {error}") from error


def _set_boundaries(message: EmailMessage, ids: Ids) -> None:
    """Draw boundaries from `ids`, so that they depend on the seed; the standard library's are random."""
    for part in message.walk():
        if part.is_multipart() and part.get_content_maintype() == "multipart":
            part.set_boundary(f"----=_Part_{ids.hex(24)}")


def _attach(message: EmailMessage, attachment: Attachment) -> None:
    main, _, sub = attachment.media_type.partition("/")
    message.add_attachment(
        attachment.content,
        maintype=main,
        subtype=sub or "octet-stream",
        filename=attachment.filename,
        disposition="inline" if attachment.inline else "attachment",
        cid=f"<{attachment.content_id}>" if attachment.content_id else None,
    )
