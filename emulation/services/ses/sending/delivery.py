"""Delivers sent mail.

          +--> Reception, for recipients of this account
Outbox ---+--> the mailbox simulator
          +--> other domains, where delivery always succeeds
"""

from __future__ import annotations

from ....core.background_tasks import BackgroundTasks
from ....core.controller import Context
from ..receiving.received import Arrival
from ..receiving.reception import MailReturned, Reception
from .feedback import Bounce, Feedback
from .outbox import Outbox, SentMail
from .simulator import DELIVERED, UNKNOWN_MAILBOX, DeliveryResult, simulated


class Delivery:
    def __init__(
        self, ctx: Context, outbox: Outbox, reception: Reception, feedback: Feedback, tasks: BackgroundTasks
    ) -> None:
        self._ctx = ctx
        self._outbox = outbox
        self._reception = reception
        self._feedback = feedback
        self._tasks = tasks
        ctx.events.subscribe(MailReturned, self._bounce)

    def send(self, mail: SentMail) -> None:
        """Add a mail to the outbox and deliver it in the background."""
        self._outbox.add(mail)
        self._tasks.run(f"delivering mail {mail.id}", self._deliver(mail))

    def _bounce(self, returned: MailReturned) -> None:
        """Send a bounce for a received mail to its sender."""
        sender = returned.mail.arrival.sender
        what = f"mail {returned.mail.id} for {', '.join(returned.recipients)} ({returned.failure.diagnostic})"
        if not sender:
            self._ctx.log.warning("%s is not bounced: it has no sender", what)
            return
        self._ctx.log.warning("%s bounces to %s", what, sender)
        original = self._outbox.find(sender.rpartition("@")[0])
        if original is not None and original.return_path == sender:
            bounces = [Bounce(recipient, returned.failure) for recipient in returned.recipients]
            self._tasks.run(f"reporting the bounce of mail {original.id}", self._report_bounces(original, bounces))
            return
        content, mta = returned.mail.arrival.content, f"inbound-smtp.{self._ctx.region}.amazonaws.com"
        self.send(
            self._feedback.bounce_mail(
                content, returned.recipients, returned.failure, to=sender, mta=mta, sender=returned.sender
            )
        )

    async def _deliver(self, mail: SentMail) -> None:
        own = tuple(recipient for recipient in mail.recipients if self._reception.refusal(recipient) is None)
        if own:
            self._reception.take(
                Arrival(
                    mail.return_path,
                    own,
                    mail.raw,
                    greeting=f"a1-1.smtp-out.{self._ctx.region}.amazonses.com",
                    encrypted=True,
                )
            )
        results = {
            recipient: DELIVERED if recipient in own else self._result(recipient) for recipient in mail.recipients
        }
        if mail.kind == "mail":
            await self._report(mail, results)

    def _result(self, recipient: str) -> DeliveryResult:
        return simulated(recipient) or (UNKNOWN_MAILBOX if self._reception.knows_domain(recipient) else DELIVERED)

    async def _report(self, mail: SentMail, results: dict[str, DeliveryResult]) -> None:
        delivered = [recipient for recipient, result in results.items() if result.delivered]
        if delivered:
            await self._feedback.delivered(mail, delivered)
        bounces = [
            Bounce(recipient, result.bounce, result.bounce_subtype)
            for recipient, result in results.items()
            if result.bounce
        ]
        if bounces:
            await self._report_bounces(mail, bounces)
        for recipient, result in results.items():
            if result.complaint:
                for forwarded in await self._feedback.complained(mail, recipient):
                    self.send(forwarded)
            if result.auto_reply and mail.feedback_to:
                self.send(self._feedback.auto_reply(mail, recipient))

    async def _report_bounces(self, mail: SentMail, bounces: list[Bounce]) -> None:
        for forwarded in await self._feedback.bounced(mail, bounces):
            self.send(forwarded)
