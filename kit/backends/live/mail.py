"""Sends mail on real AWS by SES SendRawEmail to the stack's domain; SMTP is blocked from EC2."""

from __future__ import annotations

import email
import email.policy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ...aws.client import Aws
from ...aws.errors import error_code
from ...aws.outputs import Stack
from ...core.clock import Clock, iso
from ..interface import MailRefused

_REFUSALS = frozenset({"MessageRejected", "MailFromDomainNotVerifiedException", "InvalidParameterValue"})


@dataclass(frozen=True)
class SesTransport:
    """Sends like the stack's clients do; every address is in the stack's domains."""

    aws: Aws
    stack: Stack
    clock: Clock
    region: str

    async def send(self, message: bytes, sender: str, recipients: list[str]) -> str:
        """As `MailTransport.send`. Returns the Message-ID that SES assigns."""
        self._refuse_foreign(recipients)
        try:
            answer = await self.aws.call(
                "ses", "send_raw_email", Source=sender, Destinations=recipients, RawMessage={"Data": message}
            )
        except ClientError as error:
            if error_code(error) not in _REFUSALS:
                raise
            raise MailRefused(554, error.response["Error"]["Message"]) from error
        return f"<{answer['MessageId']}@{id_domain(self.region)}>"

    async def again(self, message: bytes, sender: str, recipients: list[str], message_id: str) -> None:
        """As `MailTransport.again`: puts the message that SNS delivered into the queue a second time.

        SES would assign another Message-ID; real duplicates come from the queue.
        """
        self._refuse_foreign(recipients)
        body = delivered(
            message, sender, recipients, message_id, at=self.clock.now(), topic=self.stack.inbound_queue_url
        )
        await self.aws.call("sqs", "send_message", QueueUrl=self.stack.inbound_queue_url, MessageBody=body)

    def _refuse_foreign(self, recipients: list[str]) -> None:
        for address in recipients:
            if address.rpartition("@")[2].lower() not in (self.stack.mail_domain, self.stack.client_mail_domain):
                raise MailRefused(550, f"<{address}>: not in the stack's domain {self.stack.mail_domain}")


def id_domain(region: str) -> str:
    """The right side of the Message-IDs that SES assigns."""
    return "email.amazonses.com" if region == "us-east-1" else f"{region}.amazonses.com"


def delivered(message: bytes, sender: str, recipients: list[str], message_id: str, *, at: float, topic: str) -> str:
    """A mail as SES and SNS deliver it to a queue: an SNS action's notification in SNS's envelope."""
    parsed = email.message_from_bytes(message, policy=email.policy.SMTP)
    del parsed["Message-ID"]
    parsed["Message-ID"] = message_id
    id, now = message_id.strip("<>").partition("@")[0], iso(at)
    passed: Mapping[str, Any] = {
        f"{name}Verdict": {"status": "PASS"} for name in ("spam", "virus", "spf", "dkim", "dmarc")
    }
    notification = {
        "notificationType": "Received",
        "mail": {
            "timestamp": now,
            "source": sender,
            "messageId": id,
            "destination": recipients,
            "headersTruncated": False,
            "headers": [{"name": name, "value": str(value)} for name, value in parsed.items()],
            "commonHeaders": {
                "returnPath": sender,
                "from": [str(parsed["From"])],
                "to": recipients,
                "messageId": message_id,
                "subject": str(parsed["Subject"]),
            },
        },
        "receipt": {
            "timestamp": now,
            "processingTimeMillis": 1,
            "recipients": recipients,
            **passed,
            "action": {"type": "SNS", "topicArn": topic, "encoding": "UTF8"},
        },
        "content": parsed.as_bytes().decode("utf-8", "replace"),
    }
    envelope = {
        "Type": "Notification",
        "MessageId": id,
        "TopicArn": topic,
        "Subject": "Amazon SES Email Receipt Notification",
        "Message": json.dumps(notification),
        "Timestamp": now,
        "SignatureVersion": "1",
    }
    return json.dumps(envelope)
