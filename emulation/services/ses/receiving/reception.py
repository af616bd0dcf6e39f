"""Accepts mail and applies the receipt rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ....core.background_tasks import BackgroundTasks
from ....core.controller import Context
from ....core.errors import AwsError
from .. import headers
from ..bounces import Failure
from ..identities.store import Identities
from .actions import Actions, TooLargeError
from .received import Arrival, ReceivedMail, Verdicts, receive
from .rules import BounceAction, Rule, RuleSets, StopAction


@dataclass(frozen=True)
class MailReturned:
    """An event: an accepted mail must be returned to its sender."""

    mail: ReceivedMail
    recipients: tuple[str, ...]
    failure: Failure
    sender: str | None = None
    """Who returns it; None for the mail system."""


class Reception:
    def __init__(
        self,
        ctx: Context,
        rules: RuleSets,
        identities: Identities,
        actions: Actions,
        tasks: BackgroundTasks,
    ) -> None:
        self._ctx = ctx
        self._rules = rules
        self._identities = identities
        self._actions = actions
        self._tasks = tasks

    def refusal(self, recipient: str, *, encrypted: bool = True) -> str | None:
        """The SMTP reply with which SES refuses this recipient; None when it accepts it."""
        matching = [rule for rule in self._rules.active_rules() if rule.wants(recipient)]
        if matching and self._identities.receives_for(recipient):
            if not encrypted and all(rule.tls_required for rule in matching):
                return f"530 5.7.0 Must issue a STARTTLS command first: the receipt rules for {recipient} require TLS"
            return None
        return f"550 5.1.1 Requested action not taken: mailbox unavailable: {recipient} ({self._why(recipient)})"

    def knows_domain(self, recipient: str) -> bool:
        """Whether the receipt rules name the domain of this address."""
        return self._rules.receives_for(recipient)

    def tls_wanted(self) -> bool:
        """Whether an active rule requires TLS."""
        return any(rule.tls_required for rule in self._rules.active_rules())

    def take(self, arrival: Arrival) -> str:
        """Accept a mail whose recipients were not refused. Returns its message id; the rules run in the background."""
        wanted = [
            (rule, matched)
            for rule in self._rules.active_rules()
            if (matched := tuple(recipient for recipient in arrival.recipients if rule.wants(recipient)))
        ]
        mail = receive(
            arrival,
            Verdicts.of(scanned=any(rule.scan for rule, _ in wanted)),
            clock=self._ctx.clock,
            ids=self._ctx.ids,
            region=self._ctx.region,
        )
        self._tasks.run(f"the receipt rules for mail {mail.id}", self._run(mail, wanted))
        return mail.id

    async def _run(self, mail: ReceivedMail, wanted: Sequence[tuple[Rule, tuple[str, ...]]]) -> None:
        await self._ctx.latency.resource("mail").wait("ses.receive_to_sns")
        for rule, recipients in wanted:
            for action in rule.actions:
                try:
                    mail = await self._actions.perform(action, mail, recipients)
                except TooLargeError as error:
                    failure = Failure("5.3.4", f"552 5.3.4 Message too big for the receipt rule's SNS action: {error}")
                    self._ctx.events.publish(MailReturned(mail, recipients, failure))
                    return
                except AwsError as error:
                    self._ctx.log.error(
                        "%s of receipt rule %s failed for mail %s: %s", type(action).__name__, rule.name, mail.id, error
                    )
                    diagnostic = f"554 5.3.0 {type(action).__name__} of receipt rule {rule.name} failed: {error}"
                    self._ctx.events.publish(MailReturned(mail, recipients, Failure("5.3.0", diagnostic)))
                    return
                if isinstance(action, BounceAction):
                    diagnostic = " ".join(filter(None, (action.reply_code, action.status, action.message)))
                    failure = Failure(action.status or "5.0.0", diagnostic)
                    self._ctx.events.publish(MailReturned(mail, recipients, failure, action.sender))
                if isinstance(action, StopAction):
                    return

    def _why(self, recipient: str) -> str:
        active = self._rules.active
        if active is None:
            return "no receipt rule set is active; activate one with ses set-active-receipt-rule-set"
        conditions = sorted({recipient for rule in self._rules.active_rules() for recipient in rule.recipients or ()})
        matching = any(rule.wants(recipient) for rule in self._rules.active_rules())
        if matching:
            return "its domain is not a verified identity; verify it with sesv2 create-email-identity"
        accepted = ", ".join(conditions) or "nothing: it has no enabled rule"
        return f"the active receipt rule set {active.name} accepts {accepted}"


def unreadable(content: bytes) -> str | None:
    """The SMTP reply to content without a header section; None for any other.

    SES accepts almost any content, invalid MIME included.
    """
    if headers.parse(content):
        return None
    return "554 5.6.0 Message has no header section: it must begin with header fields (From: …) and an empty line"
