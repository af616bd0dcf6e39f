"""Validates and sends mail for the send operations of both API versions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import format_datetime

from ....core.controller import Caller, Context
from ....core.errors import AwsError
from .. import headers
from ..addresses import checked
from ..headers import Header
from ..identities.store import Identities, Identity
from .composing import Letter, Text, compose
from .delivery import Delivery
from .outbox import SentMail, new_id
from .statistics import Statistics
from .templates import Template
from .templating import TemplateError

RECIPIENTS = 50
"""Recipients of one message. Source: SES quotas."""
V1_SIZE = 10 * 1024 * 1024
"""Bytes of one message sent by the version 1 API."""
V2_SIZE = 40 * 1024 * 1024
"""Bytes of one message sent by the version 2 API."""

_REPLACED = {"message-id", "date", "bcc", "return-path", "x-ses-configuration-set", "x-ses-message-tags"}
"""Fields SES removes; it writes Message-ID and Date anew."""
_ONCE = {
    *("from", "sender", "reply-to", "to", "cc", "bcc", "subject", "date", "message-id", "in-reply-to", "references"),
    *("mime-version", "content-type", "content-transfer-encoding", "return-path"),
}
"""Fields that must not occur twice. Source: SES Developer Guide, "Amazon SES header fields" (its common part)."""


@dataclass(frozen=True)
class SendOptions:
    """The parameters of a send operation beside the mail."""

    caller: Caller
    source: str | None = None
    """The sender; None leaves it to the From field."""
    return_path: str | None = None
    """Where bounces go; None leaves it to the Return-Path field or the sender."""
    configuration_set: str | None = None
    limit: int = V1_SIZE


class Sending:
    """Raises the errors of version 1 of the API."""

    def __init__(self, ctx: Context, identities: Identities, statistics: Statistics, delivery: Delivery) -> None:
        self._ctx = ctx
        self._identities = identities
        self._statistics = statistics
        self._delivery = delivery

    async def send(self, raw: bytes, recipients: Sequence[str] | None, options: SendOptions) -> str:
        """Send a mail in MIME form and return its message id. `recipients` default to those of its header fields."""
        raw = re.sub(rb"\r?\n", b"\r\n", raw)
        if len(raw) > options.limit:
            raise _invalid(f"Message length is more than {options.limit} bytes long: '{len(raw)}'.")
        fields = headers.parse(raw)
        _check_fields(fields)
        sender = headers.first(fields, "From") or ""
        source = options.source or sender
        to = _recipients(recipients, fields)
        identity = self._check_senders(source, fields, options.return_path)
        await self._check_configuration_set(
            options.configuration_set or headers.first(fields, "X-SES-CONFIGURATION-SET") or identity.configuration_set
        )
        message_id = new_id(self._ctx)
        mail = SentMail(
            id=message_id,
            at=self._ctx.clock.now(),
            caller=options.caller.name,
            sender=sender,
            return_path=f"{message_id}@{identity.mail_from or self._domain()}",
            recipients=to,
            raw=self._stamp(raw, message_id),
            identity=identity.name,
            feedback_to=checked(options.return_path or headers.first(fields, "Return-Path") or source),
        )
        self._statistics.count("DeliveryAttempts", len(to))
        self._delivery.send(mail)
        return message_id

    async def send_letter(self, letter: Letter, options: SendOptions) -> str:
        """Send the mail of a simple send operation."""
        for mailbox in (letter.sender, *letter.reply_to, *letter.recipients):
            checked(mailbox)
        return await self.send(compose(letter, self._ctx.ids), letter.recipients, options)

    async def send_filled(self, template: Template, data: str, letter: Letter, options: SendOptions) -> str:
        """Send a template filled with JSON data. As in SES, missing data is not reported to the caller."""
        try:
            filled = template.fill(data)
        except TemplateError as error:
            self._ctx.log.error("a templated mail to %s is not sent: %s", ", ".join(letter.recipients), error)
            return new_id(self._ctx)
        text, html = (None if part is None else Text(part) for part in (filled.text, filled.html))
        return await self.send_letter(letter.with_body(Text(filled.subject), text, html), options)

    def _check_senders(self, source: str, fields: list[Header], return_path: str | None) -> Identity:
        """Check that source, From, Sender and Return-Path are verified."""
        given = [
            source,
            *(value for name in ("From", "Sender", "Return-Path") if (value := headers.first(fields, name))),
        ]
        given += [return_path] if return_path else []
        addresses = [checked(mailbox) for value in given for mailbox in headers.mailboxes(value)]
        try:
            return self._identities.check_sender(addresses, self._ctx.region)
        except AwsError:
            self._statistics.count("Rejects")
            raise

    async def _check_configuration_set(self, name: str | None) -> None:
        if name is None:
            return
        try:
            await self._ctx.aws.call("ses", "DescribeConfigurationSet", ConfigurationSetName=name)
        except AwsError as error:
            raise AwsError(
                "ConfigurationSetDoesNotExist",
                f"Configuration set <{name}> does not exist.",
                ConfigurationSetName=name,
            ) from error

    def _domain(self) -> str:
        """The domain of SES's return paths and message ids in this region."""
        return "amazonses.com" if self._ctx.region == "us-east-1" else f"{self._ctx.region}.amazonses.com"

    def _stamp(self, raw: bytes, message_id: str) -> bytes:
        """Replace Date and Message-ID, as SES always does."""
        domain = "email.amazonses.com" if self._ctx.region == "us-east-1" else self._domain()
        head, body = headers.split(raw)
        kept = headers.without(head, _REPLACED)
        date = format_datetime(self._ctx.clock.utcnow())
        stamp = f"\r\nMessage-ID: <{message_id}@{domain}>\r\nDate: {date}\r\n\r\n"
        return kept + stamp.encode() + body


def _check_fields(fields: list[Header]) -> None:
    for name, count in Counter(name.lower() for name, _ in fields).items():
        if count > 1 and name in _ONCE:
            spelled = next(given for given, _ in fields if given.lower() == name)
            raise _invalid(f"Duplicate header '{spelled}'.")
    if not headers.first(fields, "From"):
        raise _invalid("Missing required header 'From'.")


def _recipients(given: Sequence[str] | None, fields: list[Header]) -> tuple[str, ...]:
    if given is None:
        values = [value for name, value in fields if name.lower() in ("to", "cc", "bcc")]
        given = [mailbox for value in values for mailbox in headers.mailboxes(value)]
    if not given:
        raise _invalid("Missing required header 'To'.")
    if len(given) > RECIPIENTS:
        raise _invalid(f"Recipient count exceeds {RECIPIENTS}.")
    return tuple(dict.fromkeys(checked(recipient) for recipient in given))


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValue", message)
