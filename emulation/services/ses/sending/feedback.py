"""Notifies senders of deliveries, bounces and complaints, by SNS or by mail.

Shape: Amazon SES Developer Guide, "Amazon SNS notification contents for Amazon SES".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Any

from ....core.controller import Context
from ....core.errors import AwsError
from ....core.timestamps import iso_millis
from .. import headers
from ..bounces import Failure, report
from ..identities.store import Identities, Identity
from .outbox import SentMail, new_id
from .statistics import Statistics


@dataclass(frozen=True)
class Bounce:
    recipient: str
    failure: Failure
    subtype: str = "General"


class Feedback:
    """Publishes notifications. Mails to send instead are returned to the caller."""

    def __init__(self, ctx: Context, identities: Identities, statistics: Statistics) -> None:
        self._ctx = ctx
        self._identities = identities
        self._statistics = statistics
        self._mta = f"a1-1.smtp-out.{ctx.region}.amazonses.com"

    async def delivered(self, mail: SentMail, recipients: Sequence[str]) -> None:
        now = self._ctx.clock.now()
        delivery = {
            "timestamp": iso_millis(now),
            "processingTimeMillis": max(0, round((now - mail.at) * 1000)),
            "recipients": list(recipients),
            "smtpResponse": "250 2.0.0 OK",
            "reportingMTA": self._mta,
            "remoteMtaIp": "127.0.0.1",
        }
        await self._publish(mail, "delivery", delivery)

    async def bounced(self, mail: SentMail, bounces: Sequence[Bounce]) -> Iterable[SentMail]:
        self._statistics.count("Bounces", len(bounces))
        forwarded = []
        for bounce in bounces:
            described = {
                "feedbackId": new_id(self._ctx),
                "bounceType": "Permanent",
                "bounceSubType": bounce.subtype,
                "bouncedRecipients": [
                    {
                        "emailAddress": bounce.recipient,
                        "action": "failed",
                        "status": bounce.failure.status,
                        "diagnosticCode": f"smtp; {bounce.failure.diagnostic}",
                    }
                ],
                "timestamp": iso_millis(self._ctx.clock.now()),
                "remoteMtaIp": "127.0.0.1",
                "reportingMTA": f"dns; {self._mta}",
            }
            if not await self._publish(mail, "bounce", described) and self._forwards(mail):
                bounced, failure = [bounce.recipient], bounce.failure
                forwarded.append(self.bounce_mail(mail.raw, bounced, failure, to=mail.feedback_to, mta=self._mta))
        return forwarded

    async def complained(self, mail: SentMail, recipient: str) -> Iterable[SentMail]:
        self._statistics.count("Complaints")
        described = {
            "feedbackId": new_id(self._ctx),
            "complaintSubType": None,
            "complainedRecipients": [{"emailAddress": recipient}],
            "timestamp": iso_millis(self._ctx.clock.now()),
            "userAgent": "Amazon SES Mailbox Simulator",
            "complaintFeedbackType": "abuse",
            "arrivalDate": iso_millis(mail.at),
        }
        if await self._publish(mail, "complaint", described) or not self._forwards(mail):
            return []
        text = f"This is an email abuse report for a message received by {recipient}."
        return [self._note(mail, f"complaints@{self._ctx.region}.amazonses.com", "Complaint", text, "complaint")]

    def auto_reply(self, mail: SentMail, recipient: str) -> SentMail:
        text = "This is the mailbox simulator's automatic response. I am out of the office."
        return self._note(mail, recipient, "OOTO", text, "auto-reply")

    async def _publish(self, mail: SentMail, kind: str, described: dict[str, Any]) -> bool:
        """Publish to the identity's topic; False when it has none for this kind."""
        identity = self._identities.find(mail.identity)
        topic = identity.topics.get(kind.capitalize()) if identity else None
        if identity is None or topic is None:
            return False
        document = {
            "notificationType": kind.capitalize(),
            kind: described,
            "mail": self._mail(mail, identity, with_headers=kind.capitalize() in identity.topics_with_headers),
        }
        try:
            message = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
            await self._ctx.aws.call("sns", "Publish", TopicArn=topic, Message=message)
        except AwsError as error:
            self._ctx.log.error("the %s notification for mail %s did not reach %s: %s", kind, mail.id, topic, error)
        return True

    def _mail(self, mail: SentMail, identity: Identity, *, with_headers: bool) -> dict[str, Any]:
        described: dict[str, Any] = {
            "timestamp": iso_millis(mail.at),
            "source": mail.sender,
            "sourceArn": f"arn:aws:ses:{self._ctx.region}:{self._ctx.account}:identity/{identity.name}",
            "sourceIp": "127.0.0.1",
            "callerIdentity": mail.caller,
            "sendingAccountId": self._ctx.account,
            "messageId": mail.id,
            "destination": list(mail.recipients),
        }
        if with_headers:
            fields = headers.parse(mail.raw)
            described["headersTruncated"] = False
            described["headers"] = [{"name": name, "value": headers.decoded(value)} for name, value in fields]
        return described

    def _forwards(self, mail: SentMail) -> bool:
        identity = self._identities.find(mail.identity)
        return bool(mail.feedback_to) and (identity is None or identity.forwarding)

    def bounce_mail(
        self,
        original: bytes,
        recipients: Sequence[str],
        failure: Failure,
        *,
        to: str,
        mta: str,
        sender: str | None = None,
    ) -> SentMail:
        """A delivery status notification. `sender` defaults to SES's mailer daemon."""
        sender, now = sender or f"MAILER-DAEMON@{self._ctx.region}.amazonses.com", self._ctx.clock.utcnow()
        raw = report(original, recipients, failure, sender=sender, to=to, at=now, mta=mta, ids=self._ctx.ids)
        return self._from_ses(to, sender, raw, "bounce")

    def _note(self, mail: SentMail, sender: str, prefix: str, text: str, kind: str) -> SentMail:
        fields = headers.parse(mail.raw)
        subject = headers.first(fields, "Subject") or ""
        lines = [
            f"From: {sender}",
            f"To: {mail.feedback_to}",
            f"Subject: {prefix}: {subject}",
            f"Date: {format_datetime(self._ctx.clock.utcnow())}",
            f"In-Reply-To: {headers.first(fields, 'Message-ID') or ''}",
            "Auto-Submitted: auto-replied",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=UTF-8",
            "Content-Transfer-Encoding: 8bit",
            "",
            text,
            "",
        ]
        return self._from_ses(mail.feedback_to, sender, "\r\n".join(lines).encode(), kind)

    def _from_ses(self, to: str, sender: str, raw: bytes, kind: str) -> SentMail:
        id, now = new_id(self._ctx), self._ctx.clock.now()
        return SentMail(id, now, "ses", sender, return_path="", recipients=(to,), raw=raw, kind=kind)
