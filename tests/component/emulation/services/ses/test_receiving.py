"""From SMTP through the receipt rules to S3, SNS and SQS."""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.mailroom import ANN, DOMAIN, EDIT, Mailroom, letter, mailroom
from webordinary_testkit.emulation.services.ses.receiving.actions import SNS_LIMIT

STOP = {"StopAction": {"Scope": "RuleSet"}}


@pytest_asyncio.fixture
async def room() -> AsyncIterator[Mailroom]:
    async with mailroom() as room:
        yield room


async def bucket(room: Mailroom, name: str = "mails") -> None:
    await room.call("s3", "CreateBucket", Bucket=name, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})


async def keys(room: Mailroom, name: str = "mails") -> list[str]:
    return [known["Key"] for known in (await room.call("s3", "ListObjectsV2", Bucket=name)).get("Contents", [])]


async def stored(room: Mailroom, key: str, name: str = "mails") -> bytes:
    return bytes(await room.boto("s3", lambda s3: s3.get_object(Bucket=name, Key=key)["Body"].read()))


def subjects(notifications: list[dict[str, Any]]) -> list[str]:
    return [note["mail"]["commonHeaders"]["subject"] for note in notifications]


async def test_a_mail_reaches_the_queue_as_ses_and_sns_write_it(room: Mailroom) -> None:
    await room.rule("edit", [DOMAIN], [room.publish("inbound")], ScanEnabled=True)
    sent = (
        b"From: User <ann@clients.example.org>\r\nTo: edit@it.example.com, Bob <bob@it.example.com>\r\n"
        b"Reply-To: desk@clients.example.org\r\nSubject: Add a =?utf-8?q?p=C3=A4ge?=\r\n"
        b"Date: Sun, 22 Nov 2026 08:00:00 +0000\r\nMessage-ID: <abc@clients.example.org>\r\n"
        b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\n..dotted\r\nH\xc3\xa4llo\r\n"
    )

    await room.mail(sent)

    (envelope,) = await room.envelopes("inbound")
    assert envelope["Type"] == "Notification"
    assert envelope["Subject"] == "Amazon SES Email Receipt Notification"
    assert envelope["TopicArn"] == room.topic("inbound")
    document = json.loads(envelope["Message"])
    message_id = document["mail"]["messageId"]
    when = document["mail"]["timestamp"]
    receipt, received = (document["mail"]["headers"][index]["value"] for index in (6, 1))
    date = re.search(r"; (\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000) \(UTC\)", received)
    assert re.fullmatch(r"[a-z0-9]{40}", message_id)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", when)
    assert date is not None
    spf = (
        "pass (spfCheck: domain of clients.example.org designates 127.0.0.1 as permitted sender) "
        "client-ip=127.0.0.1; envelope-from=ann@clients.example.org; helo={helo};"
    )
    helo = re.match(r"from (\S+) ", received)
    assert helo is not None
    spf = spf.format(helo=helo[1])
    assert document == {
        "notificationType": "Received",
        "mail": {
            "timestamp": when,
            "source": ANN,
            "messageId": message_id,
            "destination": [EDIT, f"bob@{DOMAIN}"],
            "headersTruncated": False,
            "headers": [
                {"name": "Return-Path", "value": f"<{ANN}>"},
                {
                    "name": "Received",
                    "value": f"from {helo[1]} ({helo[1]} [127.0.0.1]) by inbound-smtp.us-west-2.amazonaws.com "
                    f"with SMTP id {message_id} for {EDIT}; {date[1]} (UTC)",
                },
                {"name": "X-SES-Spam-Verdict", "value": "PASS"},
                {"name": "X-SES-Virus-Verdict", "value": "PASS"},
                {"name": "Received-SPF", "value": spf},
                {
                    "name": "Authentication-Results",
                    "value": f"amazonses.com; spf={spf} dkim=pass header.i=@clients.example.org; "
                    "dmarc=pass header.from=clients.example.org;",
                },
                {"name": "X-SES-RECEIPT", "value": receipt},
                {"name": "From", "value": f"User <{ANN}>"},
                {"name": "To", "value": f"{EDIT}, Bob <bob@{DOMAIN}>"},
                {"name": "Reply-To", "value": "desk@clients.example.org"},
                {"name": "Subject", "value": "Add a päge"},
                {"name": "Date", "value": "Sun, 22 Nov 2026 08:00:00 +0000"},
                {"name": "Message-ID", "value": "<abc@clients.example.org>"},
                {"name": "MIME-Version", "value": "1.0"},
                {"name": "Content-Type", "value": "text/plain; charset=UTF-8"},
            ],
            "commonHeaders": {
                "returnPath": ANN,
                "from": [f"User <{ANN}>"],
                "replyTo": ["desk@clients.example.org"],
                "date": "Sun, 22 Nov 2026 08:00:00 +0000",
                "to": [EDIT, f"Bob <bob@{DOMAIN}>"],
                "messageId": "<abc@clients.example.org>",
                "subject": "Add a päge",
            },
        },
        "receipt": {
            "timestamp": when,
            "processingTimeMillis": document["receipt"]["processingTimeMillis"],
            "recipients": [EDIT],
            "spamVerdict": {"status": "PASS"},
            "virusVerdict": {"status": "PASS"},
            "spfVerdict": {"status": "PASS"},
            "dkimVerdict": {"status": "PASS"},
            "dmarcVerdict": {"status": "PASS"},
            "action": {"type": "SNS", "topicArn": room.topic("inbound"), "encoding": "UTF8"},
        },
        "content": document["content"],
    }
    assert document["content"].startswith(f"Return-Path: <{ANN}>\r\nReceived: from ")
    assert document["content"].endswith(sent.decode())


async def test_a_rule_that_does_not_scan_says_so(room: Mailroom) -> None:
    await room.rule("edit", [DOMAIN], [room.publish("inbound")])

    await room.mail(bytes(letter()))

    (notification,) = await room.notifications("inbound")
    assert notification["receipt"]["spamVerdict"] == {"status": "DISABLED"}
    assert notification["receipt"]["spfVerdict"] == {"status": "PASS"}


async def test_base64_keeps_every_byte(room: Mailroom) -> None:
    await room.rule("edit", [DOMAIN], [room.publish("inbound", "Base64")])
    content = b"Subject: bytes\r\n\r\n" + bytes(range(1, 256)).replace(b"\r", b"").replace(b"\n", b"") + b"\r\n"

    await room.mail(content)

    (notification,) = await room.notifications("inbound")
    assert base64.b64decode(notification["content"]).endswith(content)
    assert notification["receipt"]["action"]["encoding"] == "BASE64"


async def test_rules_are_followed_in_their_order_until_one_stops(room: Mailroom) -> None:
    await room.rule("first", [EDIT], [room.publish("first")])
    await room.rule("asleep", [DOMAIN], [room.publish("asleep")], Enabled=False)
    await room.rule("other", ["else.example.com"], [room.publish("other")])
    await room.rule("stops", [DOMAIN], [room.publish("stops"), STOP])
    await room.rule("never", [DOMAIN], [room.publish("never")])

    await room.mail(bytes(letter()))

    counts = {name: len(await room.notifications(name)) for name in ("first", "asleep", "other", "stops", "never")}
    assert counts == {"first": 1, "asleep": 0, "other": 0, "stops": 1, "never": 0}


async def test_each_rule_names_the_recipients_it_matched(room: Mailroom) -> None:
    await room.rule("edit", [EDIT], [room.publish("edit")])
    await room.rule("all", [DOMAIN], [room.publish("all")])

    await room.mail(bytes(letter()), f"edit+client-7@{DOMAIN}", f"Bob@{DOMAIN}")

    (edit,), (everybody,) = await room.notifications("edit"), await room.notifications("all")
    assert edit["receipt"]["recipients"] == [f"edit+client-7@{DOMAIN}"]
    assert everybody["receipt"]["recipients"] == [f"edit+client-7@{DOMAIN}", f"Bob@{DOMAIN}"]
    assert edit["mail"]["messageId"] == everybody["mail"]["messageId"]


async def test_a_rule_without_recipients_takes_everything_for_verified_domains(room: Mailroom) -> None:
    await room.rule("any", [], [room.publish("any")])

    await room.mail(bytes(letter()), f"anyone@deep.{DOMAIN}")

    assert len(await room.notifications("any")) == 1


async def test_a_header_is_added_for_the_actions_that_follow(room: Mailroom) -> None:
    header = {"AddHeaderAction": {"HeaderName": "X-Route", "HeaderValue": "édit"}}
    await room.rule("edit", [DOMAIN], [room.publish("before"), header, room.publish("after")])

    await room.mail(bytes(letter()))

    (before,), (after,) = await room.notifications("before"), await room.notifications("after")
    assert {"name": "X-Route", "value": "édit"} not in before["mail"]["headers"]
    assert {"name": "X-Route", "value": "édit"} in after["mail"]["headers"]
    assert "\r\nX-Route: édit\r\nFrom: " in after["content"]


async def test_a_mail_is_stored_whole_and_the_topic_told_without_its_content(room: Mailroom) -> None:
    await bucket(room)
    action = {"S3Action": {"BucketName": "mails", "ObjectKeyPrefix": "in/box", "TopicArn": room.topic("stored")}}
    await room.rule("store", [DOMAIN], [action])
    content = b"Subject: big\r\n\r\n" + b"0123456789" * 20 + b"\r\n"
    content = content.replace(b"\r\n\r\n", b"\r\n\r\n" + b"padding\r\n" * 25_000)

    await room.mail(content)

    (notification,) = await room.notifications("stored")
    message_id = notification["mail"]["messageId"]
    assert "content" not in notification
    assert notification["receipt"]["action"] == {
        "type": "S3",
        "topicArn": room.topic("stored"),
        "bucketName": "mails",
        "objectKeyPrefix": "in/box",
        "objectKey": f"in/box/{message_id}",
    }
    raw = await stored(room, f"in/box/{message_id}")
    assert raw.startswith(b"Return-Path: ")
    assert raw.endswith(content)


async def test_declaring_a_rule_leaves_a_setup_notification_where_it_leads(room: Mailroom) -> None:
    await bucket(room)
    await room.queue_behind("inbound")
    queue = "arn:aws:sqs:us-west-2:123456789012:inbound"
    await room.call("sns", "Subscribe", TopicArn=room.topic("inbound"), Protocol="sqs", Endpoint=queue)
    actions = [{"S3Action": {"BucketName": "mails", "ObjectKeyPrefix": "in"}}, room.publish("inbound")]
    rule = {"Name": "edit", "Enabled": True, "Actions": actions}

    await room.call("ses", "CreateReceiptRule", RuleSetName="rules", Rule=rule)
    await room.call("ses", "UpdateReceiptRule", RuleSetName="rules", Rule={**rule, "ScanEnabled": True})

    assert await keys(room) == ["in/AMAZON_SES_SETUP_NOTIFICATION"]
    (notification,) = await room.notifications("inbound")  # the update added no action, so there is no second one
    assert notification["mail"]["messageId"] == "AMAZON_SES_SETUP_NOTIFICATION"
    assert "Subject: Amazon SES Setup Notification\r\n" in notification["content"]


async def test_a_mail_over_150_kb_bounces_from_an_sns_action(room: Mailroom) -> None:
    await room.rule("edit", [DOMAIN], [room.publish("inbound")])
    large = b"From: a@b.org\r\nSubject: large\r\nMessage-ID: <large@b.org>\r\n\r\n" + b"x" * 70 + b"\r\n"

    await room.mail(large + b"0123456789\r\n" * (SNS_LIMIT // 12))

    assert await room.notifications("inbound") == []
    (bounce,) = await room.sent()
    report = message_from_bytes(bounce.raw, policy=policy.default)
    assert (bounce.kind, bounce.recipients, bounce.return_path) == ("bounce", (ANN,), "")
    assert report.get_content_type() == "multipart/report"
    assert report["In-Reply-To"] == "<large@b.org>"
    parts = [part.get_content_type() for part in report.iter_parts()]
    assert parts == ["text/plain", "message/delivery-status", "text/rfc822-headers"]
    text = bounce.raw.decode()
    assert "Status: 5.3.4" in text
    assert f"Final-Recipient: rfc822; {EDIT}" in text
    assert f"at most {SNS_LIMIT} are published" in text


async def test_a_mail_of_just_150_kb_is_published(room: Mailroom) -> None:
    await room.rule("edit", [DOMAIN], [room.publish("inbound")])
    await room.mail(b"Subject: probe\r\n\r\n\r\n")
    own = len((await room.notifications("inbound"))[0]["content"]) - len("Subject: probe\r\n\r\n\r\n")
    content = b"Subject: probe\r\n\r\n" + b"0123456789012345678901234567890123456789\r\n" * (SNS_LIMIT // 42)

    await room.mail(content[: SNS_LIMIT - own - 2] + b"\r\n")

    (notification,) = await room.notifications("inbound")
    assert len(notification["content"]) in (SNS_LIMIT - 1, SNS_LIMIT)
    assert await room.sent() == []


async def test_an_action_that_fails_bounces_and_is_logged(room: Mailroom, caplog: pytest.LogCaptureFixture) -> None:
    await bucket(room)
    await room.rule("store", [DOMAIN], [{"S3Action": {"BucketName": "mails"}}, room.publish("inbound")])
    await room.call("s3", "DeleteObject", Bucket="mails", Key="AMAZON_SES_SETUP_NOTIFICATION")
    await room.call("s3", "DeleteBucket", Bucket="mails")

    with caplog.at_level(logging.ERROR):
        await room.mail(bytes(letter()))

    (bounce,) = await room.sent()
    assert b"S3Action of receipt rule store failed: NoSuchBucket" in bounce.raw
    assert "S3Action of receipt rule store failed" in caplog.text
    assert await room.notifications("inbound") == []


async def test_a_bounce_action_answers_the_sender_in_the_rules_words(room: Mailroom) -> None:
    bounce = {
        "BounceAction": {
            "SmtpReplyCode": "550",
            "StatusCode": "5.1.1",
            "Message": "Mailbox does not exist",
            "Sender": f"postmaster@{DOMAIN}",
            "TopicArn": room.topic("bounced"),
        }
    }
    await room.rule("gone", [f"gone@{DOMAIN}"], [bounce, STOP])

    await room.mail(bytes(letter()), f"gone@{DOMAIN}")

    (sent,) = await room.sent()
    assert (sent.sender, sent.recipients) == (f"postmaster@{DOMAIN}", (ANN,))
    assert b"Diagnostic-Code: smtp; 550 5.1.1 Mailbox does not exist" in sent.raw
    (notification,) = await room.notifications("bounced")
    assert notification["receipt"]["action"] == {
        "type": "Bounce",
        "topicArn": room.topic("bounced"),
        "smtpReplyCode": "550",
        "statusCode": "5.1.1",
        "message": "Mailbox does not exist",
        "sender": f"postmaster@{DOMAIN}",
    }


async def test_a_mail_without_a_sender_is_never_bounced(room: Mailroom, caplog: pytest.LogCaptureFixture) -> None:
    bounce = {"BounceAction": {"SmtpReplyCode": "550", "Message": "no", "Sender": EDIT}}
    await room.rule("all", [DOMAIN], [bounce])

    with caplog.at_level(logging.WARNING):
        await room.mail(bytes(letter()), sender="")

    assert await room.sent() == []
    assert "is not bounced: it has no sender" in caplog.text


async def test_a_bounce_to_one_of_our_own_comes_in_again(room: Mailroom) -> None:
    bounce = {"BounceAction": {"SmtpReplyCode": "550", "Message": "no", "Sender": f"postmaster@{DOMAIN}"}}
    await room.rule("gone", [f"gone@{DOMAIN}"], [bounce, STOP])
    await room.rule("edit", [EDIT], [room.publish("inbound")])

    await room.mail(bytes(letter()), f"gone@{DOMAIN}", sender=EDIT)

    assert subjects(await room.notifications("inbound")) == ["Delivery Status Notification (Failure)"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], include_characters="\n\t")),
    html=st.none() | st.just("<p>ü</p>\n"),
    attachment=st.none() | st.binary(max_size=60),
)
async def test_a_mail_arrives_as_the_sender_composed_it(
    room: Mailroom, text: str, html: str | None, attachment: bytes | None
) -> None:
    if not await keys_of_rules(room):
        await room.rule("edit", [DOMAIN], [room.publish("inbound")])
    composed = letter(text=text)
    if html is not None:
        composed.add_alternative(html, subtype="html")
    if attachment is not None:
        composed.add_attachment(attachment, maintype="application", subtype="octet-stream", filename="a.bin")
    raw = composed.as_bytes(policy=policy.SMTP)

    await room.mail(raw)

    (notification,) = await room.notifications("inbound")
    received = message_from_bytes(notification["content"].encode(), policy=policy.default)
    assert isinstance(received, EmailMessage)
    wanted = message_from_bytes(raw, policy=policy.default)
    assert isinstance(wanted, EmailMessage)
    for part, original in zip(received.walk(), wanted.walk(), strict=True):
        assert part.get_content_type() == original.get_content_type()
        if not original.is_multipart():
            assert part.get_content() == original.get_content()


async def keys_of_rules(room: Mailroom) -> list[str]:
    return [rule["Name"] for rule in (await room.call("ses", "DescribeActiveReceiptRuleSet"))["Rules"]]
