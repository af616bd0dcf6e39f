"""Mail: written, sent through the cloud's door, and the replies read from the stack's own queue."""

from __future__ import annotations

import asyncio
import email
import email.message
import email.policy
import email.utils
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..core.clock import epoch
from ..core.errors import Bounced
from ..core.eventually import shortened
from ..system import contract
from ..system.facts import RECEIVED_AT, mail_key
from .context import Context
from .mailbox import Mailbox, Reply, Taken

_SEVEN_BIT = email.policy.SMTP.clone(cte_type="7bit")
"""Every server takes it; a door need not offer 8BITMIME."""
WIRE = _SEVEN_BIT.clone(max_line_length=998)
"""How a mail is put on the wire: a message id longer than a usual line must not be folded into encoded words."""
_NOT_OURS_AGAIN_AFTER = 5
"""Seconds (AWS) after which a mail for somebody else is visible to them again."""
_POLL = 10
"""Seconds (AWS) of one long poll."""
_SETTLED_WITHIN = 6.0 * _POLL
"""Seconds (AWS) in which a poll comes back with nothing when no more replies come; one may be under way."""


@dataclass(frozen=True)
class SentMail:
    """A mail that the cloud accepted."""

    message_id: str
    sender: str
    to: str
    subject: str
    marker: str
    accepted: float
    """AWS time of the acceptance, epoch seconds."""


class Mail:
    """Sends mails of a scenario and waits for their replies."""

    def __init__(self, context: Context, mailbox: Mailbox) -> None:
        self._context = context
        self._mailbox = mailbox
        self._reader: asyncio.Task[None] | None = None
        self._received: asyncio.Task[bool] | None = None
        self._nothing_since = 0.0
        """AWS time at which the last look began that found nothing new in the queue; epoch seconds."""
        self._others: set[str] = set()
        """Messages in the queue that are for somebody else; they come again and again."""

    async def send(
        self,
        instruction: str,
        *,
        sender: str,
        to: str,
        marker: str,
        subject: str = "Please change my site",
        html: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> SentMail:
        """Send one mail; returns when the cloud accepted it. Raises `MailRefused` when it was refused."""
        context = self._context
        message = compose(
            instruction,
            sender=sender,
            to=to,
            subject=subject,
            message_id=context.ids.message_id(sender.partition("@")[2]),
            at=context.clock.now(),
            html=html,
            headers=headers,
        )
        self._mailbox.own(sender)
        self._read()
        with context.history.operation("send_mail", message=message["Message-ID"], user=sender, marker=marker) as sent:
            given = await context.cloud.mail.send(message.as_bytes(policy=WIRE), sender, [to])
            message_id = given or str(message["Message-ID"])
            sent.ok(to=to, subject=subject, **({} if given is None else {"message": given}))
        return SentMail(message_id, sender, to, subject, marker, context.clock.now())

    async def wait_for_receipt(self, sent: SentMail, *, within: float) -> float:
        """Wait until Hermes has taken a mail on; returns when it did (AWS epoch seconds), as its own memory tells."""
        __tracebackhide__ = True
        stack = self._context.cloud.stack
        key = {"messageId": {"S": mail_key(sent.message_id, sent.sender)}}

        async def look() -> str | None:
            self.raise_if_bounced(sent)
            answer = await self._context.cloud.aws.call(
                "dynamodb", "get_item", TableName=stack.mail_table_name, Key=key, ConsistentRead=True
            )
            received: str | None = answer.get("Item", {}).get(RECEIVED_AT, {}).get("S")
            return received

        received = await self._context.eventually(
            look,
            within=within,
            every=2.0,
            describe=f"Hermes to receive {sent.message_id}",
            next="see the queue, the alarms and Hermes' log: kit status, kit logs hermes",
        )
        assert received is not None
        return epoch(received)

    async def wait_for_reply(self, sent: SentMail, *, within: float) -> Reply:
        """Wait for the reply to one mail, told by its In-Reply-To."""
        __tracebackhide__ = True
        self._read()

        async def look() -> Reply | None:
            self.raise_if_bounced(sent)
            for reply in self.replies(sent.sender):
                if not reply.is_bounce:
                    contract.check_reply(reply.message)
            return next((reply for reply in self.replies(sent.sender) if reply.in_reply_to == sent.message_id), None)

        reply = await self._context.eventually(
            look,
            within=within,
            describe=f"a reply to {sent.message_id} at {sent.sender}",
            next="see what was sent and Hermes' log: kit outbox, kit logs hermes",
        )
        assert reply is not None
        return reply

    def raise_if_bounced(self, sent: SentMail) -> None:
        """Raises `Bounced` with the reason when a mail came back as undeliverable; told by its Message-ID inside."""
        __tracebackhide__ = True
        self._raise_reader()
        for reply in self.replies(sent.sender):
            if reply.is_bounce and sent.message_id in reply.message.as_string():
                raise Bounced(f"the mail to {sent.to} bounced: {shortened(reply.text(), 500)}")

    def replies(self, address: str) -> list[Reply]:
        """All that came back to an address so far."""
        return self._mailbox.of(address)

    async def settle(self) -> None:
        """Wait until all that was in the replies queue by now is taken in: then it is known who got which replies.

        Raises what the reader met, and `WaitExpired` when replies come without an end.
        """
        __tracebackhide__ = True
        if self._reader is None:
            return
        since = self._context.clock.now()

        async def look() -> bool:
            self._raise_reader()
            return self._nothing_since > since

        await self._context.eventually(
            look, within=_SETTLED_WITHIN, describe="the replies queue to hold no more replies", counts=False
        )
        # What came since is dealt with too: else it would look like an operation without an end.
        while self._received is not None and not self._received.done():
            await asyncio.wait({self._received})

    async def close(self) -> None:
        """Stop reading; what was received is dealt with, what arrives later stays in the queue."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(*filter(None, (self._reader, self._received)), return_exceptions=True)

    def _read(self) -> None:
        if self._reader is None:
            self._reader = asyncio.create_task(self._dispatch(), name="replies")

    def _raise_reader(self) -> None:
        if self._reader is not None and self._reader.done() and not self._reader.cancelled():
            self._reader.result()

    async def _dispatch(self) -> None:
        """The one reader of the replies queue. What comes in belongs to no step: it comes when it comes."""
        aws, url = self._context.cloud.aws, self._context.cloud.stack.replies_queue_url
        with self._context.history.step(""):
            while True:
                began = self._context.clock.now()
                answer = await aws.call(
                    "sqs", "receive_message", QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=_POLL
                )
                self._received = asyncio.create_task(self._take(answer.get("Messages", ())))
                if not await asyncio.shield(self._received):
                    self._nothing_since = began

    async def _take(self, messages: Iterable[Mapping[str, Any]]) -> bool:
        """Whether any of these messages was new: ours, or somebody else's that has not been met before."""
        aws, url = self._context.cloud.aws, self._context.cloud.stack.replies_queue_url
        new = False
        for message in messages:
            handle = message["ReceiptHandle"]
            taken = self._mailbox.put(message["Body"])
            if taken is not None:
                new = True
                self._note(taken)
                await aws.call("sqs", "delete_message", QueueUrl=url, ReceiptHandle=handle)
            else:
                new = new or message["MessageId"] not in self._others
                self._others.add(message["MessageId"])
                await aws.call(
                    "sqs",
                    "change_message_visibility",
                    QueueUrl=url,
                    ReceiptHandle=handle,
                    VisibilityTimeout=_NOT_OURS_AGAIN_AFTER,
                )
        return new

    def _note(self, taken: Taken) -> None:
        """Every reply is in the history, also one that nobody waits for: checkers count them."""
        if taken.first:
            name = "bounce" if taken.reply.is_bounce else "reply"
            touches = {"message": taken.reply.in_reply_to, "user": taken.address}
            self._context.history.note(name, value={"sent": taken.reply.sent}, **touches)


def compose(
    instruction: str,
    *,
    sender: str,
    to: str,
    subject: str,
    message_id: str,
    at: float,
    html: bool = False,
    headers: Mapping[str, str] | None = None,
) -> email.message.EmailMessage:
    """A mail as a client writes it; `at` is epoch seconds, `html` makes it HTML only."""
    message = email.message.EmailMessage(policy=_SEVEN_BIT)
    message["From"] = sender
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = email.utils.format_datetime(datetime.fromtimestamp(at, UTC))
    message["Message-ID"] = message_id
    for name, value in (headers or {}).items():
        message[name] = value
    if html:
        escaped = instruction.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        message.set_content(f"<html><body><p>{escaped}</p></body></html>", subtype="html")
    else:
        message.set_content(instruction)
    return message
