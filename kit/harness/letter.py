"""A mail as mail programs write it: plain or HTML only, encoded, with a display name, quoting what it answers."""

from __future__ import annotations

import email.message
import email.policy
import email.utils
import html as markup
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address
from typing import Literal

Encoding = Literal["7bit", "quoted-printable", "base64"]

_SEVEN_BIT = email.policy.SMTP.clone(cte_type="7bit")
"""Accepted by every server: a transport need not offer 8BITMIME."""
_WIRE = _SEVEN_BIT.clone(max_line_length=998)
"""The format on the wire: a message id longer than a usual line must not be folded into encoded words."""


@dataclass(frozen=True)
class Letter:
    """The content of a mail. The defaults make the plainest mail there is."""

    text: str
    """The sender's own words."""
    quoted: str = ""
    """The quotation below them: the mail it answers, as `Reply.quoted` gives it."""
    name: str = ""
    """The sender's display name."""
    subject: str = "Please change my site"
    html: bool = False
    """HTML only: no plain alternative."""
    encoding: Encoding | None = None
    """The body's transfer encoding; by default the first that fits."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Further headers, such as In-Reply-To and References."""

    def message(self, *, sender: str, to: str, message_id: str, at: float) -> email.message.EmailMessage:
        """The letter as MIME; `at` is epoch seconds. Raises UnicodeEncodeError for 7bit text that is not ASCII."""
        message = email.message.EmailMessage(policy=_SEVEN_BIT)
        # `Address` takes local parts that no parser would: the sender chooses the address.
        local, _, domain = sender.rpartition("@")
        message["From"] = Address(self.name, local, domain)
        message["To"] = to
        message["Subject"] = self.subject
        message["Date"] = email.utils.format_datetime(datetime.fromtimestamp(at, UTC))
        message["Message-ID"] = message_id
        for name, value in self.headers.items():
            message[name] = value
        charset = "us-ascii" if self.encoding == "7bit" else "utf-8"
        body = _html(self.text, self.quoted) if self.html else _plain(self.text, self.quoted)
        message.set_content(body, subtype="html" if self.html else "plain", charset=charset, cte=self.encoding)
        return message

    def wire(self, *, sender: str, to: str, message_id: str, at: float) -> bytes:
        """The letter as bytes of ASCII; see `message`."""
        return self.message(sender=sender, to=to, message_id=message_id, at=at).as_bytes(policy=_WIRE)


def _plain(text: str, quoted: str) -> str:
    return f"{text}\n\n{quoted}\n" if quoted else f"{text}\n"


def _html(text: str, quoted: str) -> str:
    """Paragraphs, and the quotation in a `blockquote`, as most programs set it."""
    blocks = [f"<p>{markup.escape(line)}</p>" for line in text.splitlines() if line.strip()]
    if quoted:
        first, *others = quoted.splitlines()
        lines = "<br>\n".join(markup.escape(line.removeprefix(">").strip()) for line in others)
        blocks.append(f'<div class="quote">{markup.escape(first)}<blockquote type="cite">{lines}</blockquote></div>')
    return "<html><head><style>p { margin: 0 }</style></head><body>\n" + "\n".join(blocks) + "\n</body></html>\n"
