"""Sending by both versions of the SES API, as boto3 sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
import pytest_asyncio
from botocore.exceptions import ClientError

from tests.support.mailroom import ANN, DOMAIN, EDIT, Mailroom, mailroom
from webordinary_testkit.emulation.core.errors import AwsError

MESSAGE = {
    "Subject": {"Data": "Re: Grüße"},
    "Body": {"Text": {"Data": "Fertig ✓\n"}, "Html": {"Data": "<p>Fertig</p>"}},
}
RAW = (
    b"From: Edit <edit@it.example.com>\nTo: ann@clients.example.org\nBcc: hidden@clients.example.org\n"
    b"Subject: Re: raw\nIn-Reply-To: <1@clients.example.org>\nMessage-ID: <mine@x>\nDate: yesterday\n\n"
    b"line\nConversation ID: abc\n"
)


def text(data: str, charset: str) -> dict[str, Any]:
    return {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": data, "Charset": charset}}}


@pytest_asyncio.fixture
async def room() -> AsyncIterator[Mailroom]:
    async with mailroom() as room:
        yield room


async def v1(room: Mailroom, operation: str = "send_email", **params: Any) -> str:
    return str((await room.boto("ses", lambda ses: getattr(ses, operation)(**params)))["MessageId"])


async def v2(room: Mailroom, **params: Any) -> str:
    return str((await room.boto("sesv2", lambda ses: ses.send_email(**params)))["MessageId"])


async def refused(room: Mailroom, service: str, operation: str, **params: Any) -> Mapping[str, Any]:
    with pytest.raises(ClientError) as error:
        await room.boto(service, lambda ses: getattr(ses, operation)(**params))
    assert await room.sent() == []
    refusal: Mapping[str, Any] = error.value.response["Error"]
    return refusal


def read(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


async def test_a_simple_mail_lands_in_the_outbox_as_mime(room: Mailroom) -> None:
    message_id = await v1(
        room,
        Source="Edit <edit@it.example.com>",
        Destination={"ToAddresses": [f"Ann <{ANN}>"], "CcAddresses": ["cc@x.org"], "BccAddresses": ["bcc@x.org"]},
        ReplyToAddresses=["desk@it.example.com"],
        Message=MESSAGE,
    )

    (mail,) = await room.sent()
    message = read(mail.raw)
    assert (mail.id, mail.recipients) == (message_id, (ANN, "cc@x.org", "bcc@x.org"))
    assert {name: message[name] for name in ("From", "To", "Cc", "Bcc", "Reply-To", "Subject", "Message-ID")} == {
        "From": "Edit <edit@it.example.com>",
        "To": f"Ann <{ANN}>",
        "Cc": "cc@x.org",
        "Bcc": None,
        "Reply-To": "desk@it.example.com",
        "Subject": "Re: Grüße",
        "Message-ID": f"<{message_id}@us-west-2.amazonses.com>",
    }
    assert message["Date"].datetime.timestamp() == pytest.approx(mail.at, abs=1)
    assert message.get_content_type() == "multipart/alternative"
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    assert (text.get_content(), html.get_content()) == ("Fertig ✓\r\n", "<p>Fertig</p>\r\n")
    assert mail.raw.isascii()


async def test_a_raw_mail_keeps_its_body_and_gets_ses_own_id_and_date(room: Mailroom) -> None:
    message_id = await v1(room, "send_raw_email", RawMessage={"Data": RAW})

    (mail,) = await room.sent()
    message = read(mail.raw)
    assert mail.recipients == (ANN, "hidden@clients.example.org")
    assert message["Bcc"] is None
    assert message["In-Reply-To"] == "<1@clients.example.org>"
    assert message["Message-ID"] == f"<{message_id}@us-west-2.amazonses.com>"
    assert message["Date"].datetime.timestamp() == pytest.approx(mail.at, abs=1)
    assert mail.raw.endswith(b"\r\n\r\nline\r\nConversation ID: abc\r\n")


async def test_the_envelope_of_a_raw_mail_wins_over_its_fields(room: Mailroom) -> None:
    await v1(room, "send_raw_email", RawMessage={"Data": RAW}, Source=EDIT, Destinations=["only@x.org"])

    (mail,) = await room.sent()
    assert mail.recipients == ("only@x.org",)


@pytest.mark.parametrize(
    "content",
    [
        {"Simple": {**MESSAGE, "Headers": [{"Name": "In-Reply-To", "Value": "<1@clients.example.org>"}]}},
        {"Raw": {"Data": RAW}},
    ],
)
async def test_version_2_sends_simple_and_raw_mails(room: Mailroom, content: dict[str, Any]) -> None:
    message_id = await v2(room, FromEmailAddress=EDIT, Destination={"ToAddresses": [ANN]}, Content=content)

    (mail,) = await room.sent()
    assert (mail.id, mail.recipients) == (message_id, (ANN,))
    assert read(mail.raw)["In-Reply-To"] == "<1@clients.example.org>"


async def test_version_2_sends_attachments(room: Mailroom) -> None:
    attachment = {"RawContent": b"\x00\xff", "FileName": "süß.bin", "ContentType": "application/x-thing"}
    content = {"Simple": {**MESSAGE, "Attachments": [attachment]}}

    await v2(room, FromEmailAddress=EDIT, Destination={"ToAddresses": [ANN]}, Content=content)

    (mail,) = await room.sent()
    (part,) = read(mail.raw).iter_attachments()
    assert (part.get_filename(), part.get_content_type(), part.get_content()) == (
        "süß.bin",
        "application/x-thing",
        b"\x00\xff",
    )


async def test_a_mail_to_one_of_our_own_comes_back_through_the_receipt_rules(room: Mailroom) -> None:
    clients = f"clients.{DOMAIN}"
    await room.rule("clients", [clients], [room.publish("replies")])

    message_id = await v2(
        room,
        FromEmailAddress=f"Edit <{EDIT}>",
        Destination={"ToAddresses": [f"ann@{clients}", "out@side.org"]},
        Content={"Simple": MESSAGE},
    )

    (mail,) = await room.sent()
    (notification,) = await room.notifications("replies")
    assert notification["receipt"]["recipients"] == [f"ann@{clients}"]
    assert notification["mail"]["source"] == f"{message_id}@us-west-2.amazonses.com"
    assert notification["mail"]["commonHeaders"]["messageId"] == f"<{message_id}@us-west-2.amazonses.com>"
    assert notification["mail"]["commonHeaders"]["from"] == [f"Edit <{EDIT}>"]
    assert notification["content"].endswith(mail.raw.decode())


@pytest.mark.parametrize("sender", ["a@elsewhere.org", "Edit <a@elsewhere.org>"])
async def test_a_sender_that_is_not_verified_is_rejected(room: Mailroom, sender: str) -> None:
    wanted = (
        "MessageRejected",
        "Email address is not verified. The following identities failed the check in region US-WEST-2: a@elsewhere.org",
    )
    to = {"ToAddresses": [ANN]}

    first = await refused(room, "ses", "send_email", Source=sender, Destination=to, Message=MESSAGE)
    second = await refused(
        room, "sesv2", "send_email", FromEmailAddress=sender, Destination=to, Content={"Simple": MESSAGE}
    )

    assert (first["Code"], first["Message"]) == wanted
    assert (second["Code"], second["Message"]) == wanted


async def test_source_and_from_must_both_be_verified(room: Mailroom) -> None:
    raw = RAW.replace(b"edit@it.example.com", b"boss@bank.example")

    error = await refused(room, "ses", "send_raw_email", RawMessage={"Data": raw}, Source=EDIT)

    assert error["Code"] == "MessageRejected"
    assert error["Message"].endswith("boss@bank.example")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (RAW.replace(b"From: Edit <edit@it.example.com>\n", b""), "Missing required header 'From'."),
        (RAW.replace(b"To:", b"X-To:").replace(b"Bcc:", b"X-Bcc:"), "Missing required header 'To'."),
        (RAW.replace(b"Subject: Re: raw\n", b"Subject: a\nsubject: b\n"), "Duplicate header 'Subject'."),
        (RAW.replace(b"ann@clients.example.org", b"ann"), "Missing final '@domain'"),
        (b"no header section\n", "Missing required header 'From'."),
    ],
)
async def test_a_raw_mail_that_ses_cannot_use_is_refused(room: Mailroom, raw: bytes, message: str) -> None:
    first = await refused(room, "ses", "send_raw_email", RawMessage={"Data": raw})
    second = await refused(room, "sesv2", "send_email", Content={"Raw": {"Data": raw}})

    assert (first["Code"], first["Message"]) == ("InvalidParameterValue", message)
    assert (second["Code"], second["Message"]) == ("BadRequestException", message)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"Source": "edit"}, "Missing final '@domain'"),
        ({"Destination": {"ToAddresses": []}}, "Missing required header 'To'."),
        ({"Destination": {"ToAddresses": [f"u{number}@x.org" for number in range(51)]}}, "Recipient count exceeds 50."),
        ({"Destination": {"ToAddresses": ["a@x.org\r\nBcc: b@x.org"]}}, "control characters"),
        ({"Message": {**MESSAGE, "Subject": {"Data": "a\r\nBcc: b@x.org"}}}, "cannot be composed"),
        ({"Message": text("ü", "ascii")}, "cannot be composed"),
        ({"Message": text("x", "klingon")}, "unknown encoding"),
    ],
)
async def test_a_simple_mail_that_ses_cannot_use_is_refused(
    room: Mailroom, changed: dict[str, Any], reason: str
) -> None:
    params = {"Source": EDIT, "Destination": {"ToAddresses": [ANN]}, "Message": MESSAGE, **changed}

    error = await refused(room, "ses", "send_email", **params)

    assert error["Code"] == "InvalidParameterValue"
    assert reason in error["Message"]


async def test_a_simple_mail_needs_a_body(room: Mailroom) -> None:
    content = {"Simple": {"Subject": {"Data": "s"}, "Body": {}}}

    error = await refused(
        room, "sesv2", "send_email", FromEmailAddress=EDIT, Destination={"ToAddresses": [ANN]}, Content=content
    )

    assert error["Code"] == "BadRequestException"


async def test_a_mail_of_more_than_10_mb_is_for_version_2_only(room: Mailroom) -> None:
    raw = RAW + b"0123456789012345678901234567890123456789\n" * 260_000

    with pytest.raises(AwsError, match="Message length is more than 10485760 bytes long"):
        await room.call("ses", "SendRawEmail", RawMessage={"Data": raw})
    await room.call("sesv2", "SendEmail", Content={"Raw": {"Data": raw}})

    assert len(await room.sent()) == 1


async def test_a_configuration_set_must_exist(room: Mailroom) -> None:
    params: dict[str, Any] = {"Source": EDIT, "Destination": {"ToAddresses": [ANN]}, "Message": MESSAGE}

    error = await refused(room, "ses", "send_email", **params, ConfigurationSetName="none")
    await room.call("ses", "CreateConfigurationSet", ConfigurationSet={"Name": "some"})
    await v1(room, **params, ConfigurationSetName="some")

    assert error["Code"] == "ConfigurationSetDoesNotExist"
    assert len(await room.sent()) == 1


async def test_events_nobody_would_publish_are_not_promised(room: Mailroom) -> None:
    await room.call("ses", "CreateConfigurationSet", ConfigurationSet={"Name": "some"})
    destination = {"Name": "d", "MatchingEventTypes": ["bounce"], "SNSDestination": {"TopicARN": room.topic("t")}}

    error = await refused(
        room,
        "ses",
        "create_configuration_set_event_destination",
        ConfigurationSetName="some",
        EventDestination=destination,
    )

    assert error["Code"] == "NotImplemented"


async def test_the_account_counts_what_it_sent(room: Mailroom) -> None:
    await v1(room, Source=EDIT, Destination={"ToAddresses": [ANN, "b@x.org"]}, Message=MESSAGE)
    with pytest.raises(ClientError):
        await v1(room, Source="a@elsewhere.org", Destination={"ToAddresses": [ANN]}, Message=MESSAGE)

    quota = await room.boto("ses", lambda ses: ses.get_send_quota())
    account = await room.boto("sesv2", lambda ses: ses.get_account())
    (point,) = (await room.boto("ses", lambda ses: ses.get_send_statistics()))["SendDataPoints"]

    assert quota["SentLast24Hours"] == 2
    assert account["SendQuota"]["SentLast24Hours"] == 2
    assert account["ProductionAccessEnabled"] is True
    assert (point["DeliveryAttempts"], point["Rejects"]) == (2, 1)


async def test_the_outbox_is_read_over_http_newest_last(room: Mailroom) -> None:
    import httpx

    for subject in ("first", "second ✓"):
        message = {"Subject": {"Data": subject}, "Body": {"Text": {"Data": f"text of {subject}"}}}
        await v1(room, Source=EDIT, Destination={"ToAddresses": [ANN]}, Message=message)

    async with httpx.AsyncClient(headers=room.world.admin_headers) as client:
        first, second = (await client.get(f"{room.world.url}/_emulation/outbox")).json()

    assert (first["subject"], second["subject"]) == ("first", "second ✓")
    assert (second["text"], second["html"]) == ("text of second ✓\n", None)
    assert (second["from"], second["to"], second["kind"]) == (EDIT, [ANN], "mail")
    assert second["caller"] == "AKIAIOSFODNN7EXAMPLE"
    assert second["raw"].startswith(f"From: {EDIT}\r\n")
