"""What SES does when a receipt rule is declared: it tries whether it may write where the rule says.

The real service leaves a "setup notification" in the bucket and publishes one to the topic. A consumer that treats
it as mail is a defect worth finding before production does, so it is sent here too.
"""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import format_datetime

from ....core.controller import Context
from ....core.errors import AwsError
from .notification import SUBJECT, notification, object_key
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
    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    async def check(self, actions: Sequence[Action]) -> None:
        """Raise SES's error for an action whose bucket or topic does not exist."""
        for action in actions:
            if isinstance(action, AddHeaderAction):
                continue
            if isinstance(action, S3Action):
                await self._bucket(action.bucket)
            if action.topic is not None:
                await self._topic(action.topic)

    async def announce(self, actions: Sequence[Action]) -> None:
        """Leave a setup notification wherever these actions lead."""
        for action in actions:
            if isinstance(action, AddHeaderAction):
                continue
            mail = self._mail("S3 bucket" if isinstance(action, S3Action) else "SNS topic")
            if isinstance(action, S3Action):
                key = object_key(action.prefix, ID)
                await self._ctx.aws.call("s3", "PutObject", Bucket=action.bucket, Key=key, Body=mail.raw)
            if action.topic is not None:
                message = notification(mail, [_RECIPIENT], action, now=mail.at)
                await self._ctx.aws.call("sns", "Publish", TopicArn=action.topic, Subject=SUBJECT, Message=message)

    async def _bucket(self, bucket: str) -> None:
        try:
            await self._ctx.aws.call("s3", "HeadBucket", Bucket=bucket)
        except AwsError as error:
            message = f"Could not write to bucket: {bucket}"
            raise AwsError("InvalidS3Configuration", message, Bucket=bucket) from error

    async def _topic(self, topic: str) -> None:
        try:
            await self._ctx.aws.call("sns", "GetTopicAttributes", TopicArn=topic)
        except AwsError as error:
            raise AwsError("InvalidSnsTopic", f"Invalid SNS topic: {topic}", Topic=topic) from error

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
