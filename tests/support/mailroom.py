"""A cloud that receives and sends mail: SMTP server, queues, and the outbox.

async with mailroom() as room:
    await room.rule("all", [room.domain], [room.publish("inbound")])
    await room.mail(b"From: a@b.example\\r\\n\\r\\nhello")
    (notification,) = await room.notifications("inbound")
"""

from __future__ import annotations

import asyncio
import json
import smtplib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any, TypeVar

from botocore.config import Config

from tests.support.aws import SESSION
from tests.support.world import World, world
from webordinary_testkit.emulation.core.controller import Context
from webordinary_testkit.emulation.services.ses import SentMail, Ses

T = TypeVar("T")
DOMAIN = "it.example.com"
EDIT = f"edit@{DOMAIN}"
ANN = "ann@clients.example.org"


@dataclass
class Mailroom:
    world: World
    controller: Ses
    domain: str = DOMAIN
    clients: dict[str, Any] = field(default_factory=dict)

    async def call(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        return await self.world.aws.call(service, operation, **params)

    async def boto(self, service: str, ask: Callable[[Any], T]) -> T:
        """Call boto3, which validates strictly, in a thread."""
        if service not in self.clients:
            self.clients[service] = await asyncio.to_thread(self._client, service)
        return await asyncio.to_thread(ask, self.clients[service])

    def _client(self, service: str) -> Any:
        return SESSION.client(
            service,
            endpoint_url=self.world.url,
            region_name="us-west-2",
            aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
            aws_secret_access_key="secret",
            config=Config(retries={"total_max_attempts": 1}),
        )

    def topic(self, name: str) -> str:
        return f"arn:aws:sns:us-west-2:123456789012:{name}"

    def publish(self, topic: str, encoding: str = "UTF-8") -> dict[str, Any]:
        return {"SNSAction": {"TopicArn": self.topic(topic), "Encoding": encoding}}

    async def queue_behind(self, topic: str) -> None:
        """Make a topic whose messages a queue of the same name keeps."""
        await self.call("sns", "CreateTopic", Name=topic)
        await self.call("sqs", "CreateQueue", QueueName=topic)

    async def rule(self, name: str, recipients: Sequence[str], actions: Sequence[Any], **more: Any) -> None:
        """Create a receipt rule after the existing ones; its topics and their queues are created first."""
        for action in actions:
            for members in action.values():
                if topic := members.get("TopicArn", "").rpartition(":")[2]:
                    await self.queue_behind(topic)
        existing = (await self.call("ses", "DescribeActiveReceiptRuleSet"))["Rules"]
        after = {"After": existing[-1]["Name"]} if existing else {}
        rule = {"Name": name, "Enabled": True, "Recipients": list(recipients), "Actions": list(actions), **more}
        await self.call("ses", "CreateReceiptRule", RuleSetName="rules", Rule=rule, **after)
        for action in actions:
            for members in action.values():
                if arn := members.get("TopicArn"):
                    # After the rule, so that the queue does not begin with SES's setup notification.
                    endpoint = arn.replace(":sns:", ":sqs:")
                    await self.call("sns", "Subscribe", TopicArn=arn, Protocol="sqs", Endpoint=endpoint)

    async def smtp(self, talk: Callable[[smtplib.SMTP], T]) -> T:
        """One SMTP session, in a thread."""
        host, _, port = self.controller.smtp_address.partition(":")

        def converse() -> T:
            with smtplib.SMTP(host, int(port), timeout=20) as client:
                return talk(client)

        return await asyncio.to_thread(converse)

    async def mail(self, content: bytes, *to: str, sender: str = ANN, options: Sequence[str] = ()) -> None:
        """Deliver a mail by SMTP and wait until the rules have dealt with it."""
        await self.smtp(lambda client: client.sendmail(sender, to or (EDIT,), content, mail_options=list(options)))
        await self.controller.settle()

    async def envelopes(self, queue: str) -> list[dict[str, Any]]:
        """The SNS envelopes waiting in a queue, oldest first; they are taken out."""
        url = (await self.call("sqs", "GetQueueUrl", QueueName=queue))["QueueUrl"]
        bodies = []
        while messages := (await self.call("sqs", "ReceiveMessage", QueueUrl=url, MaxNumberOfMessages=10)).get(
            "Messages", []
        ):
            for message in messages:
                bodies.append(json.loads(message["Body"]))
                await self.call("sqs", "DeleteMessage", QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    async def notifications(self, queue: str) -> list[dict[str, Any]]:
        """The notifications SES published to the topic of that name."""
        return [json.loads(envelope["Message"]) for envelope in await self.envelopes(queue)]

    async def sent(self) -> list[SentMail]:
        """The outbox, once everything sent is delivered."""
        await self.controller.settle()
        return list(self.controller.outbox)


@asynccontextmanager
async def mailroom(*, scale: float = 60.0, verified: Sequence[str] = (DOMAIN,)) -> AsyncIterator[Mailroom]:
    """A cloud with verified identities and an active, empty receipt rule set called "rules"."""

    def make(ctx: Context) -> Ses:
        return Ses(ctx)

    async with world(make, scale=scale) as w:
        (controller,) = w.controllers
        assert isinstance(controller, Ses)
        room = Mailroom(w, controller)
        for identity in verified:
            await room.call("sesv2", "CreateEmailIdentity", EmailIdentity=identity)
        await room.call("ses", "CreateReceiptRuleSet", RuleSetName="rules")
        await room.call("ses", "SetActiveReceiptRuleSet", RuleSetName="rules")
        yield room


def letter(subject: str = "Add a page", text: str = "Hello\n", **fields: str) -> EmailMessage:
    """A plain mail from Ann to the edit address."""
    message = EmailMessage()
    message["From"] = f"Ann <{ANN}>"
    message["To"] = EDIT
    message["Subject"] = subject
    message["Message-ID"] = "<1@clients.example.org>"
    for name, value in fields.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message
