"""A mail's way through Hermes: read, claimed, worked, replied; each step once, whatever dies in between."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from .. import names
from ..aws_errors import AwsError, Unavailable
from ..ids import derived
from ..locks import Locks
from . import mail as mails
from .edit_service import Job
from .envelope import Delivery
from .in_flight import InFlight
from .inbox import Entry, Inbox
from .instructions import Instructions, Outcome
from .mail import Mail
from .opening import Opening
from .replies import Replies, Reply
from .reply_limit import ReplyLimit
from .secret import Secret

log = logging.getLogger(__name__)

_LONG = 32 * 1024
"""Bytes."""
_REMEMBERED = 5
"""References that are looked up for a mail that names no thread."""

Renewal = Callable[[str], None]
"""Called with the key of the mail in a message, whose lease is renewed with the message from then on."""


@dataclass(frozen=True)
class Addressed:
    """A mail, and all that follows from it: the same mail gives the same, whenever and wherever it is read."""

    mail: Mail
    key: str
    client_id: str
    thread_id: str
    job: Job


class MailHandler:
    def __init__(
        self,
        inbox: Inbox,
        opening: Opening,
        instructions: Instructions,
        replies: Replies,
        in_flight: InFlight,
        *,
        secret: Secret,
        limit: ReplyLimit,
        own_address: str,
        default_client_id: str,
        preview_base: str,
    ) -> None:
        self._inbox = inbox
        self._opening = opening
        self._instructions = instructions
        self._replies = replies
        self._in_flight = in_flight
        self._secret = secret
        self._limit = limit
        self._own_address = own_address
        self._default_client_id = default_client_id
        self._preview_base = preview_base
        self._threads = Locks()

    async def handle(self, delivery: Delivery, renewal: Renewal) -> None:
        """When it returns, nothing is left to do for this mail. Raises `Malformed`, or `AwsError` for later."""
        mail = await self._read(delivery)
        if mail.automatic:
            log.info("mail not answered", extra={"sender": mail.sender, "because": mail.automatic})
            return
        with self._in_flight.mail():
            addressed = await self._addressed(mail, delivery)
            async with self._threads[addressed.client_id, mail.sender, addressed.thread_id]:
                entry = await self._inbox.claim(addressed.key, addressed.thread_id)
                if entry.state == "replied":
                    log.info("mail was answered before", extra={"mail": addressed.key})
                    return
                renewal(addressed.key)
                try:
                    await self._answered(addressed, entry)
                except BaseException:
                    await self._released(addressed.key)
                    raise

    async def renew(self, key: str) -> None:
        await self._inbox.renew(key)

    async def _read(self, delivery: Delivery) -> Mail:
        """A long mail is read beside the event loop; short ones at once, which keeps them in order."""
        if len(delivery.raw) > _LONG:
            return await asyncio.to_thread(mails.read, delivery, self._own_address)
        return mails.read(delivery, self._own_address)

    async def _answered(self, addressed: Addressed, entry: Entry) -> None:
        outcome, session_id = entry.outcome, entry.session_id
        if outcome is None and not await self._limit.allows(addressed.mail.sender, addressed.thread_id):
            log.warning("mail not answered: too many replies in its thread", extra={"mail": addressed.key})
            await self._inbox.replied(addressed.key, "")
            return
        if outcome is None:
            outcome, session_id = await self._worked(addressed)
            if not await self._inbox.worked(addressed.key, session_id, outcome):
                raise Unavailable("inbox", "LeaseLost", f"another Hermes works on {addressed.key}")
        preview_url = f"{self._preview_base}/{session_id}" if session_id else None
        reply = Reply(addressed.mail, outcome, addressed.thread_id, preview_url, addressed.job.job_id)
        reply_id = await self._replies.send(reply)
        await self._inbox.replied(addressed.key, reply_id)
        log.info("mail answered", extra={"mail": addressed.key, "sessionId": session_id, "reply": reply_id})

    async def _released(self, key: str) -> None:
        try:
            await self._inbox.release(key)
        except AwsError as error:
            log.warning("a lease was left to run out", extra={"mail": key, "cause": str(error)})

    async def _worked(self, addressed: Addressed) -> tuple[Outcome, str]:
        """The outcome, and the session; no session when the mail gives no reason to open one."""
        mail = addressed.mail
        if not mail.instruction:
            return Outcome(False, "There is no instruction in your mail."), ""
        try:
            names.client_id(addressed.client_id)
            names.user_id(mail.sender)
        except names.InvalidName as invalid:
            return Outcome(False, str(invalid)), ""
        opened = await self._opening.open_or_resume(addressed.client_id, mail.sender, addressed.thread_id)
        outcome = await self._instructions.carry_out(opened.session, addressed.job)
        return outcome, opened.session.session_id

    async def _addressed(self, mail: Mail, delivery: Delivery) -> Addressed:
        key = _key(mail.message_id or delivery.ses_message_id or derived("mail", mail.instruction), mail)
        # SES replaces our message ids; the thread is known by the client's own ones, which stand beside them.
        earlier = (_key(reference, mail) for reference in reversed(mail.references[-_REMEMBERED:]))
        thread_id = mail.thread_id or await self._inbox.thread_of(earlier)
        return Addressed(
            mail=mail,
            key=key,
            client_id=self._client(mail),
            thread_id=thread_id or await self._secret.derived("thread", key),
            job=Job(derived("work", key), mail.instruction),
        )

    def _client(self, mail: Mail) -> str:
        """`edit+<clientId>@…` names a client; `edit@…` is the default client's."""
        local, _, domain = self._own_address.lower().partition("@")
        for recipient in mail.recipients:
            name, _, at = recipient.partition("@")
            base, plus, client = name.partition("+")
            if plus and (base.lower(), at.lower()) == (local, domain):
                return client
        return self._default_client_id


def _key(message_id: str, mail: Mail) -> str:
    """A message id is the sender's to choose: it identifies a mail only together with the sender."""
    return f"{message_id} {mail.sender}"
