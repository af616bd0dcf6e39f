"""Performing a receipt rule's actions on a mail."""

from __future__ import annotations

from collections.abc import Sequence

from ....core.controller import Context
from .notification import SUBJECT, notification, object_key
from .received import ReceivedMail
from .rules import Action, AddHeaderAction, S3Action, SnsAction

SNS_LIMIT = 150 * 1024
"""Bytes of a mail, headers included, that an SNS action takes. Source: SES Developer Guide; larger mails bounce."""


class TooLargeError(Exception):
    """The mail is larger than its SNS action takes."""


class Actions:
    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    async def perform(self, action: Action, mail: ReceivedMail, recipients: Sequence[str]) -> ReceivedMail:
        """Do what the action says and return the mail as the next action sees it.

        Bouncing and stopping are for the caller to act on; here their topics are told. Raises `TooLargeError`, or
        the `AwsError` of the service that would not take the mail.
        """
        if isinstance(action, AddHeaderAction):
            return mail.with_header(action.name, action.value)
        if isinstance(action, S3Action):
            await self._ctx.aws.call(
                "s3", "PutObject", Bucket=action.bucket, Key=object_key(action.prefix, mail.id), Body=mail.raw
            )
        if isinstance(action, SnsAction) and len(mail.raw) > SNS_LIMIT:
            raise TooLargeError(f"{len(mail.raw)} bytes with headers, at most {SNS_LIMIT} are published")
        if action.topic is not None:
            message = notification(mail, recipients, action, now=self._ctx.clock.now())
            await self._ctx.aws.call("sns", "Publish", TopicArn=action.topic, Subject=SUBJECT, Message=message)
        return mail
