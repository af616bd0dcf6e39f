"""The mailbox simulator, and what senders hear of their mails."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from tests.support.mailroom import DOMAIN, EDIT, Mailroom, mailroom
from webordinary_testkit.emulation.services.ses import SentMail

MESSAGE = {"Subject": {"Data": "hello"}, "Body": {"Text": {"Data": "x"}}}


@pytest_asyncio.fixture
async def room() -> AsyncIterator[Mailroom]:
    async with mailroom() as room:
        yield room


async def send(room: Mailroom, *to: str, **more: Any) -> str:
    answer = await room.call(
        "ses", "SendEmail", Source=f"Edit <{EDIT}>", Destination={"ToAddresses": list(to)}, Message=MESSAGE, **more
    )
    return str(answer["MessageId"])


async def hear(room: Mailroom, *kinds: str, identity: str = DOMAIN) -> None:
    """Let a topic "feedback" hear of these kinds."""
    await room.queue_behind("feedback")
    topic = room.topic("feedback")
    await room.call(
        "sns", "Subscribe", TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-west-2:123456789012:feedback"
    )
    for kind in kinds:
        await room.call("ses", "SetIdentityNotificationTopic", Identity=identity, NotificationType=kind, SnsTopic=topic)


def kinds(mails: list[SentMail]) -> list[str]:
    return [mail.kind for mail in mails]


async def test_success_is_delivered_and_nothing_more(room: Mailroom) -> None:
    await send(room, "success+run1@simulator.amazonses.com")

    assert kinds(await room.sent()) == ["mail"]


async def test_a_bounce_is_forwarded_to_the_sender_by_mail(room: Mailroom) -> None:
    await send(room, "bounce@simulator.amazonses.com")

    original, bounce = await room.sent()
    assert (bounce.kind, bounce.recipients, bounce.return_path) == ("bounce", (EDIT,), "")
    assert b"Final-Recipient: rfc822; bounce@simulator.amazonses.com" in bounce.raw
    assert b"Status: 5.1.1" in bounce.raw
    assert f"In-Reply-To: <{original.id}@us-west-2.amazonses.com>".encode() in bounce.raw


async def test_a_bounce_is_forwarded_to_the_return_path_where_one_is_given(room: Mailroom) -> None:
    await send(room, "bounce@simulator.amazonses.com", ReturnPath=f"bounces@{DOMAIN}")

    assert (await room.sent())[-1].recipients == (f"bounces@{DOMAIN}",)


async def test_a_complaint_and_an_auto_reply_come_by_mail(room: Mailroom) -> None:
    await send(room, "complaint@simulator.amazonses.com", "ooto@simulator.amazonses.com")

    assert sorted(kinds(await room.sent())) == ["auto-reply", "complaint", "mail"]


async def test_topics_hear_of_deliveries_bounces_and_complaints(room: Mailroom) -> None:
    await hear(room, "Delivery", "Bounce", "Complaint")
    to = ["ok@x.org", *(f"{name}@simulator.amazonses.com" for name in ("bounce", "complaint", "suppressionlist"))]

    message_id = await send(room, *to)

    assert kinds(await room.sent()) == ["mail"]
    heard = await room.notifications("feedback")
    delivery, bounce, suppressed, complaint = heard
    assert delivery["delivery"]["recipients"] == ["ok@x.org", "complaint@simulator.amazonses.com"]
    assert bounce["bounce"]["bouncedRecipients"] == [
        {
            "emailAddress": "bounce@simulator.amazonses.com",
            "action": "failed",
            "status": "5.1.1",
            "diagnosticCode": "smtp; 550 5.1.1 user unknown",
        }
    ]
    assert (bounce["bounce"]["bounceType"], bounce["bounce"]["bounceSubType"]) == ("Permanent", "General")
    assert suppressed["bounce"]["bounceSubType"] == "Suppressed"
    assert complaint["complaint"]["complainedRecipients"] == [{"emailAddress": "complaint@simulator.amazonses.com"}]
    assert [note["notificationType"] for note in heard] == ["Delivery", "Bounce", "Bounce", "Complaint"]
    assert bounce["mail"] == {
        "timestamp": bounce["mail"]["timestamp"],
        "source": f"Edit <{EDIT}>",
        "sourceArn": f"arn:aws:ses:us-west-2:123456789012:identity/{DOMAIN}",
        "sourceIp": "127.0.0.1",
        "callerIdentity": "test",
        "sendingAccountId": "123456789012",
        "messageId": message_id,
        "destination": to,
    }


async def test_headers_come_along_where_they_are_asked_for(room: Mailroom) -> None:
    await hear(room, "Bounce")
    await room.call(
        "ses",
        "SetIdentityHeadersInNotificationsEnabled",
        Identity=DOMAIN,
        NotificationType="Bounce",
        Enabled=True,
    )

    await send(room, "bounce@simulator.amazonses.com")
    await room.sent()

    (bounce,) = await room.notifications("feedback")
    assert {"name": "Subject", "value": "hello"} in bounce["mail"]["headers"]


async def test_forwarding_can_be_ended_once_topics_listen(room: Mailroom) -> None:
    await hear(room, "Bounce", "Complaint")
    await room.call("ses", "SetIdentityFeedbackForwardingEnabled", Identity=DOMAIN, ForwardingEnabled=False)

    await send(room, "bounce@simulator.amazonses.com", "complaint@simulator.amazonses.com")

    assert kinds(await room.sent()) == ["mail"]
    assert len(await room.notifications("feedback")) == 2


async def test_a_mail_to_an_unknown_mailbox_of_our_own_domain_bounces(room: Mailroom) -> None:
    await room.rule("edit", [EDIT], [room.publish("inbound")])

    await send(room, f"typo@{DOMAIN}")

    _, bounce = await room.sent()
    assert f"Final-Recipient: rfc822; typo@{DOMAIN}".encode() in bounce.raw
    (notification,) = await room.notifications("inbound")  # the bounce itself reaches its sender's rules
    assert notification["mail"]["commonHeaders"]["subject"] == "Delivery Status Notification (Failure)"


async def test_a_sent_mail_our_own_rules_bounce_is_reported_to_its_sender(room: Mailroom) -> None:
    bounce = {"BounceAction": {"SmtpReplyCode": "552", "StatusCode": "5.2.2", "Message": "full", "Sender": EDIT}}
    await room.rule("full", [f"full@{DOMAIN}"], [bounce])
    await hear(room, "Bounce")

    message_id = await send(room, f"full@{DOMAIN}")
    await room.sent()

    (notification,) = await room.notifications("feedback")
    assert notification["mail"]["messageId"] == message_id
    assert notification["bounce"]["bouncedRecipients"][0]["diagnosticCode"] == "smtp; 552 5.2.2 full"
