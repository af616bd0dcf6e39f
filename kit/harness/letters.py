"""Mails as people's programs really write them: HTML only, encoded, with a display name, quoting what they answer."""

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

from .context import Context
from .mail import WIRE, SentMail
from .mailbox import Mailbox

Encoding = Literal["7bit", "quoted-printable", "base64"]

_COMPOSED = email.policy.SMTP.clone(cte_type="7bit")


@dataclass(frozen=True)
class Letter:
    """What somebody writes. Defaults are the plainest mail there is."""

    text: str
    """Their own words."""
    quoted: str = ""
    """What stands below them: the mail they answer, as `Reply.quoted` gives it."""
    name: str = ""
    """The display name before their address."""
    subject: str = "Please change my site"
    html: bool = False
    """HTML only: no plain alternative."""
    encoding: Encoding = "7bit"
    """How the body goes over the wire."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Further headers, such as In-Reply-To and References."""

    def message(self, *, sender: str, to: str, message_id: str, at: float) -> email.message.EmailMessage:
        """As MIME; `at` is epoch seconds. Raises UnicodeEncodeError for what is 7bit and not ASCII."""
        message = email.message.EmailMessage(policy=_COMPOSED)
        # By `Address`, which takes what no parser would: an address is the sender's to choose.
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


@dataclass(frozen=True)
class Posted:
    """A letter that was posted, and its bytes, with which it can be delivered again."""

    mail: SentMail
    raw: bytes


class Letters:
    """Posts letters. Their replies come to the same mailbox as all others."""

    def __init__(self, context: Context, mailbox: Mailbox) -> None:
        self._context = context
        self._mailbox = mailbox

    async def post(self, letter: Letter, *, sender: str, to: str, marker: str) -> Posted:
        """Send a letter; returns when the cloud accepted it. Raises `MailRefused` when it was refused."""
        context = self._context
        written = context.ids.message_id(context.cloud.stack.client_mail_domain)
        raw = letter.message(sender=sender, to=to, message_id=written, at=context.clock.now()).as_bytes(policy=WIRE)
        self._mailbox.own(sender)
        with context.history.operation("send_mail", message=written, user=sender, marker=marker) as operation:
            given = await context.cloud.mail.send(raw, sender, [to])
            operation.ok(to=to, subject=letter.subject, **({} if given is None else {"message": given}))
        return Posted(SentMail(given or written, sender, to, letter.subject, marker, context.clock.now()), raw)

    async def deliver(self, posted: Posted) -> Posted:
        """Deliver a letter again, the same one: mail is delivered at least once."""
        mail = posted.mail
        touches = {"message": mail.message_id, "user": mail.sender, "marker": mail.marker}
        with self._context.history.operation("send_mail", **touches) as operation:
            await self._context.cloud.mail.again(posted.raw, mail.sender, [mail.to], mail.message_id)
            operation.ok(to=mail.to, subject=mail.subject)
        return posted


def _plain(text: str, quoted: str) -> str:
    return f"{text}\n\n{quoted}\n" if quoted else f"{text}\n"


def _html(text: str, quoted: str) -> str:
    """Paragraphs; below them the quotation in a `blockquote`, as most programs set it."""
    blocks = [f"<p>{markup.escape(line)}</p>" for line in text.splitlines() if line.strip()]
    if quoted:
        first, *others = quoted.splitlines()
        lines = "<br>\n".join(markup.escape(line.removeprefix(">").strip()) for line in others)
        blocks.append(f'<div class="quote">{markup.escape(first)}<blockquote type="cite">{lines}</blockquote></div>')
    return "<html><head><style>p { margin: 0 }</style></head><body>\n" + "\n".join(blocks) + "\n</body></html>\n"
