"""The setup notification, with which SES checks the bucket and topic of a new receipt rule.

SES stores one in the bucket and publishes one to the topic. It is emulated because a consumer that mistakes it for
mail fails in production.
"""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import format_datetime

from ....core.controller import Context
from ....core.errors import AwsError
from .actions import Actions
from .received import Arrival, ReceivedMail, Verdicts
from .rules import Action, AddHeaderAction, S3Action

ID = "AMAZON_SES_SETUP_NOTIFICATION"
"""The message id and object name of a setup notification."""
_RECIPIENT = "recipient@example.com"
_TEXT = """\
Hello,

You received this message because you attempted to set up Amazon SES to deliver emails to this {where}.

Please note that the rule that you configured to deliver emails to this {where} is only valid if the entire setup \
process is successful. For more information about
setting up email-receiving rules, see the Amazon SES Developer Guide at \
http://docs.aws.amazon.com/ses/latest/DeveloperGuide/Welcome.html .

Thank you for using Amazon SES!

The Amazon SES Team
"""


class Setup:
    def __init__(self, ctx: Context, actions: Actions) -> None:
        self._ctx = ctx
        self._actions = actions

    async def check(self, actions: Sequence[Action]) -> None:
        """Raise SES's error for an action whose bucket or topic does not exist."""
        for action in actions:
            if isinstance(action, AddHeaderAction):
                continue
            if isinstance(action, S3Action):
                no_bucket = f"Could not write to bucket: {action.bucket}"
                invalid = AwsError("InvalidS3Configuration", no_bucket, Bucket=action.bucket)
                await self._check(invalid, "s3", "HeadBucket", Bucket=action.bucket)
            if action.topic is not None:
                invalid = AwsError("InvalidSnsTopic", f"Invalid SNS topic: {action.topic}", Topic=action.topic)
                await self._check(invalid, "sns", "GetTopicAttributes", TopicArn=action.topic)

    async def announce(self, actions: Sequence[Action]) -> None:
        """Send a setup notification to the buckets and topics of these actions."""
        for action in actions:
            mail = self._mail("S3 bucket" if isinstance(action, S3Action) else "SNS topic")
            await self._actions.store_and_notify(action, mail, [_RECIPIENT], now=mail.at)

    async def _check(self, invalid: AwsError, service: str, operation: str, **params: str) -> None:
        try:
            await self._ctx.aws.call(service, operation, **params)
        except AwsError as error:
            raise invalid from error

    def _mail(self, where: str) -> ReceivedMail:
        clock = self._ctx.clock
        lines = [
            f"Date: {format_datetime(clock.utcnow())}",
            f"To: {_RECIPIENT}",
            "From: Amazon Web Services <no-reply-aws@amazon.com>",
            "Subject: Amazon SES Setup Notification",
            "",
            *_TEXT.format(where=where).splitlines(),
        ]
        content = "\r\n".join(lines).encode() + b"\n"
        arrival = Arrival("no-reply-aws@amazon.com", (_RECIPIENT,), content)
        return ReceivedMail(ID, clock.now(), arrival, Verdicts(), ())
