"""Sends mail through the cloud's transport and reads the replies from the stack's queue."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.changes import looks_at
from ..core.clock import epoch
from ..core.errors import Bounced
from ..core.eventually import shortened
from ..core.history import by_chance
from ..system import contract
from ..system.facts import RECEIVED_AT, mail_key
from .background import cancel
from .context import Context
from .letter import Letter
from .mailbox import Delivery, Mailbox, Reply

_FOREIGN_VISIBLE_AFTER = 5
"""Seconds (AWS) after which another run's mail is visible in the queue again."""
_MAILBOX = "mailbox"
"""The source that announces replies."""
_POLL = 10
"""Seconds (AWS) of one long poll."""
_LAST_POLL = 1
"""Seconds (AWS) of the poll that finds the queue empty; a long poll asks all of its servers."""
_SETTLED_WITHIN = 6.0 * _POLL
"""Seconds (AWS) in which a poll returns nothing when no more replies come; one may be under way."""


@dataclass(frozen=True)
class SentMail:
    """A mail that the cloud accepted."""

    message_id: str
    sender: str
    to: str
    subject: str
    marker: str
    """A word of its instruction to look for in pages and replies; empty when there is none."""
    accepted: float
    """AWS time of the acceptance, epoch seconds."""
    raw: bytes = field(default=b"", repr=False)
    """Its bytes, to deliver it again."""


class Mail:
    """Sends a scenario's mails and waits for their replies."""

    def __init__(self, context: Context, mailbox: Mailbox) -> None:
        self._context = context
        self._mailbox = mailbox
        context.cloud.changes.announce(_MAILBOX)
        self._reader: asyncio.Task[None] | None = None
        self._received: asyncio.Task[bool] | None = None
        self._was_used = False
        self._settling: float | None = None
        """AWS time since which the reader is to stop after a poll without anything new, epoch seconds."""
        self._foreign: set[str] = set()
        """Ids of queue messages for other runs; they come again and again."""

    async def send(self, letter: Letter, *, sender: str, to: str, marker: str = "") -> SentMail:
        """Send a letter; returns when the cloud accepted it. Raises `MailRefused` when it was refused."""
        context = self._context
        written = context.ids.message_id(sender.rpartition("@")[2])
        raw = letter.wire(sender=sender, to=to, message_id=written, at=context.clock.now())
        self._mailbox.claim(sender)
        self._read()
        with context.history.operation("send_mail", message=written, user=sender, marker=marker) as operation:
            given = await context.cloud.mail.send(raw, sender, [to])
            operation.ok(to=to, subject=letter.subject, **({} if given is None else {"message": given}))
        return SentMail(given or written, sender, to, letter.subject, marker, context.clock.now(), raw)

    async def deliver_again(self, sent: SentMail) -> None:
        """Deliver the same mail once more, byte by byte: mail is delivered at least once."""
        touches = {"message": sent.message_id, "user": sent.sender, "marker": sent.marker}
        with self._context.history.operation("send_mail", **touches) as operation:
            await self._context.cloud.mail.again(sent.raw, sent.sender, [sent.to], sent.message_id)
            operation.ok(to=sent.to, subject=sent.subject)

    async def wait_for_receipt(self, sent: SentMail, *, within: float) -> float:
        """Wait for Hermes to receive a mail; returns the time from its mail table (AWS epoch seconds)."""
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
        """Wait for the reply whose In-Reply-To names the mail."""
        __tracebackhide__ = True
        self._read()

        async def look() -> Reply | None:
            self.raise_if_bounced(sent)
            for reply in self.replies(sent.sender):
                if not reply.is_bounce:
                    contract.check_reply(reply.message)
            return self.replied(sent)

        reply = await self._context.eventually(
            look,
            within=within,
            describe=f"a reply to {sent.message_id} at {sent.sender}",
            next="see what was sent and Hermes' log: kit outbox, kit logs hermes",
        )
        assert reply is not None
        return reply

    def replied(self, sent: SentMail) -> Reply | None:
        """The reply to a mail, if it has come."""
        return next((reply for reply in self.replies(sent.sender) if reply.in_reply_to == sent.message_id), None)

    def raise_if_bounced(self, sent: SentMail) -> None:
        """Raise `Bounced` with the reason if a bounce that quotes the mail's Message-ID has arrived."""
        __tracebackhide__ = True
        for reply in self.replies(sent.sender):
            if reply.is_bounce and sent.message_id in reply.message.as_string():
                raise Bounced(f"the mail to {sent.to} bounced: {shortened(reply.text(), 500)}")

    def replies(self, address: str) -> list[Reply]:
        """All mails that have come back to an address so far. Raises the reader's error."""
        self._raise_reader()
        looks_at(_MAILBOX)
        return self._mailbox.of(address)

    async def settle(self) -> None:
        """Read every reply that is in the queue now, and stop reading; the next wait begins again.

        A poll whose reader has gone would take replies out of the queue and lose them for half a minute.
        Raises the reader's error, or `WaitExpired` when replies keep coming.
        """
        __tracebackhide__ = True
        if not self._was_used:
            return
        self._settling = self._context.clock.now()
        reader = self._read()

        async def look() -> bool:
            self._raise_reader()
            looks_at(_MAILBOX)
            return reader.done()

        try:
            await self._context.eventually(
                look, within=_SETTLED_WITHIN, describe="the replies queue to hold no more replies", counts=False
            )
        finally:
            self._settling = None
        self._reader = None

    async def close(self) -> None:
        """Stop reading. Messages already received are dealt with; later ones stay in the queue."""
        await cancel(self._reader)
        if self._received is not None:
            await asyncio.wait({self._received})

    def _read(self) -> asyncio.Task[None]:
        """The reader, which is started if it does not read."""
        self._was_used = True
        if self._reader is None:
            self._reader = asyncio.create_task(self._dispatch(), name="replies")
            self._reader.add_done_callback(lambda _: self._context.cloud.changes.notify(_MAILBOX))
        return self._reader

    def _raise_reader(self) -> None:
        if self._reader is not None and self._reader.done() and not self._reader.cancelled():
            self._reader.result()

    async def _dispatch(self) -> None:
        """Read the replies queue. Replies belong to no step of the history: they arrive at any time, in any order."""
        aws, url = self._context.cloud.aws, self._context.cloud.stack.replies_queue_url
        with self._context.history.step(""), by_chance():
            while True:
                began, last = self._context.clock.now(), self._settling is not None
                answer = await aws.call(
                    "sqs",
                    "receive_message",
                    QueueUrl=url,
                    MaxNumberOfMessages=10,
                    WaitTimeSeconds=_LAST_POLL if last else _POLL,
                )
                self._received = asyncio.create_task(self._take(answer.get("Messages", ())))
                new = await asyncio.shield(self._received)
                self._context.cloud.changes.notify(_MAILBOX)
                if not new and self._settling is not None and began >= self._settling:
                    return

    async def _take(self, messages: Iterable[Mapping[str, Any]]) -> bool:
        """Sort messages into the mailbox; returns whether any was new, another run's included."""
        aws, url = self._context.cloud.aws, self._context.cloud.stack.replies_queue_url
        new = False
        for message in messages:
            handle = message["ReceiptHandle"]
            delivery = self._mailbox.put(message["Body"])
            if delivery is not None:
                new = True
                self._note(delivery)
                await aws.call("sqs", "delete_message", QueueUrl=url, ReceiptHandle=handle)
            else:
                new = new or message["MessageId"] not in self._foreign
                self._foreign.add(message["MessageId"])
                await aws.call(
                    "sqs",
                    "change_message_visibility",
                    QueueUrl=url,
                    ReceiptHandle=handle,
                    VisibilityTimeout=_FOREIGN_VISIBLE_AFTER,
                )
        return new

    def _note(self, delivery: Delivery) -> None:
        """Record the reply in the history, whether or not a wait expects it: checkers count them."""
        if delivery.first:
            name = "bounce" if delivery.reply.is_bounce else "reply"
            touches = {"message": delivery.reply.in_reply_to, "user": delivery.address}
            self._context.history.note(name, value={"sent": delivery.reply.sent}, **touches)
