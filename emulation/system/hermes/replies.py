"""Writes and sends the answer to a mail."""

from __future__ import annotations

import html
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import formatdate
from typing import Any

from ..aws import Aws
from ..clock import Clock
from .instructions import Outcome
from .mail import Mail

_LONGEST_SUBJECT = 200
_MOST_REFERENCES = 20
_IDS = ("In-Reply-To", "References", "Message-ID")
_LONG = SMTP.clone(max_line_length=998)


class _Wire(EmailPolicy):
    """Leaves message ids whole: a longer one than a line (Outlook's, SES's) would be folded into encoded words,
    which no mail program reads as an id."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        return (_LONG if name in _IDS else SMTP).fold_binary(name, value)


@dataclass(frozen=True)
class Reply:
    """What a reply says."""

    mail: Mail
    outcome: Outcome
    thread_id: str
    preview_url: str | None
    """None when no session could be opened."""
    job_id: str


def composed(reply: Reply, mail_from: str, now: float) -> bytes:
    """The reply as MIME. Its Message-ID holds the thread; so does the footer, for SES gives ids of its own."""
    message = EmailMessage(policy=SMTP)
    message["From"] = mail_from
    message["To"] = reply.mail.sender
    message["Subject"] = _subject(reply.mail.subject)
    message["Date"] = formatdate(now)
    domain = mail_from.rpartition("@")[2].strip("> ")
    message["Message-ID"] = f"<{reply.job_id}.thread-{reply.thread_id}@{domain}>"
    if original := reply.mail.message_id:
        chain = [reference for reference in reply.mail.references if reference != original]
        if len(chain) >= _MOST_REFERENCES:
            chain = [chain[0], *chain[-_MOST_REFERENCES + 2 :]]
        message["In-Reply-To"] = original
        message["References"] = " ".join([*chain, original])
    message["Auto-Submitted"] = "auto-replied"
    message.set_content(_text(reply), cte="quoted-printable")
    message.add_alternative(_html(reply), subtype="html", cte="quoted-printable")
    return message.as_bytes(policy=_Wire(linesep="\r\n"))


class Replies:
    def __init__(self, aws: Aws, clock: Clock, mail_from: str) -> None:
        self._aws = aws
        self._clock = clock
        self._mail_from = mail_from

    async def send(self, reply: Reply) -> str:
        """Send a reply and return SES's id of it. Raises `AwsError`."""
        answer = await self._aws.call(
            "sesv2",
            "send_email",
            FromEmailAddress=self._mail_from,
            Destination={"ToAddresses": [reply.mail.sender]},
            Content={"Raw": {"Data": composed(reply, self._mail_from, self._clock.now())}},
        )
        return str(answer.get("MessageId", ""))


def _subject(subject: str) -> str:
    cut = subject if len(subject) <= _LONGEST_SUBJECT else f"{subject[:_LONGEST_SUBJECT]}…"
    return cut if cut.lower().startswith("re:") else f"Re: {cut or 'your mail'}"


def _paragraphs(reply: Reply) -> list[str]:
    outcome = reply.outcome
    if not outcome.succeeded:
        return ["This could not be done; nothing was changed.", outcome.message]
    changed = "\n".join(f"- {path}" for path in outcome.changed)
    return [f"Done: {outcome.message}", f"Changed:\n{changed}" if changed else "No file changed."]


def _footer(reply: Reply) -> str:
    return f"Conversation ID: {reply.thread_id}"


def _text(reply: Reply) -> str:
    preview = [f"Preview: {reply.preview_url}"] if reply.preview_url else []
    hint = "Reply to this mail to go on; please leave the next line in it."
    return "\n\n".join([*_paragraphs(reply), *preview, hint, _footer(reply)]) + "\n"


def _html(reply: Reply) -> str:
    blocks = [html.escape(paragraph).replace("\n", "<br>\n") for paragraph in _paragraphs(reply)]
    if reply.preview_url:
        url = html.escape(reply.preview_url)
        blocks.append(f'Preview: <a href="{url}">{url}</a>')
    blocks.append("Reply to this mail to go on; please leave the next line in it.")
    blocks.append(html.escape(_footer(reply)))
    body = "".join(f"<p>{block}</p>\n" for block in blocks)
    return f"<!doctype html>\n<html>\n<body>\n{body}</body>\n</html>\n"
