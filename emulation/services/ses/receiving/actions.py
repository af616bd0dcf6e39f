"""Executes the actions of receipt rules."""

from __future__ import annotations

from collections.abc import Sequence

from ....core.controller import Context
from .notification import SUBJECT, notification, object_key
from .received import ReceivedMail
from .rules import Action, AddHeaderAction, S3Action, SnsAction

SNS_LIMIT = 150 * 1024
"""Maximum bytes of a mail in an SNS action, headers included. Source: SES Developer Guide; larger mails bounce."""


class TooLargeError(Exception):
    """The mail is too large for the rule's SNS action."""


class Actions:
    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    async def perform(self, action: Action, mail: ReceivedMail, recipients: Sequence[str]) -> ReceivedMail:
        """Execute an action and return the mail for the next one.

        Bouncing and stopping are left to the caller; only their topics are notified. Raises `TooLargeError`, or the
        `AwsError` of the service that refused the mail.
        """
        if isinstance(action, AddHeaderAction):
            return mail.with_header(action.name, action.value)
        if isinstance(action, SnsAction) and len(mail.raw) > SNS_LIMIT:
            raise TooLargeError(f"{len(mail.raw)} bytes with headers, at most {SNS_LIMIT} are published")
        await self.store_and_notify(action, mail, recipients, now=self._ctx.clock.now())
        return mail

    async def store_and_notify(
        self, action: Action, mail: ReceivedMail, recipients: Sequence[str], *, now: float
    ) -> None:
        """Put the mail into the action's bucket and publish a notification to its topic, if it has them."""
        if isinstance(action, AddHeaderAction):
            return
        if isinstance(action, S3Action):
            await self._ctx.aws.call(
                "s3", "PutObject", Bucket=action.bucket, Key=object_key(action.prefix, mail.id), Body=mail.raw
            )
        if action.topic is not None:
            message = notification(mail, recipients, action, now=now)
            await self._ctx.latency.resource("notification").wait("sns.to_sqs")
            await self._ctx.aws.call("sns", "Publish", TopicArn=action.topic, Subject=SUBJECT, Message=message)
