"""Mails as Hermes reads them, and the replies it writes."""

from __future__ import annotations

import base64
import email
import email.policy
import json
from contextlib import suppress
from dataclasses import replace
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.letters import ANN, EDIT, message, notification
from tests.support.system import patient
from webordinary_testkit.emulation.system.hermes.envelope import Delivery, Malformed, opened
from webordinary_testkit.emulation.system.hermes.instructions import Outcome
from webordinary_testkit.emulation.system.hermes.mail import Mail, read
from webordinary_testkit.emulation.system.hermes.replies import Reply, composed

WANTED = 'Add a page called "Hello"'


def of(raw: bytes, **more: Any) -> Mail:
    known: dict[str, Any] = {"ses_message_id": "", "envelope_from": ANN, "recipients": (), "has_virus": False}
    return read(Delivery(raw, **{**known, **more}), EDIT)


async def nothing(bucket: str, key: str) -> bytes:
    raise AssertionError("nothing is to be fetched")


# ---- Envelopes


async def test_the_mail_is_in_the_notification_in_the_envelope() -> None:
    delivery = await opened(notification(message(WANTED)), nothing)
    assert delivery is not None
    assert (delivery.ses_message_id, delivery.envelope_from, delivery.recipients[0]) == ("ses-1", ANN, EDIT)
    assert of(delivery.raw).instruction == WANTED


async def test_the_envelope_may_be_missing() -> None:
    inner = json.loads(notification(message(WANTED)))["Message"]
    delivery = await opened(inner, nothing)
    assert delivery is not None
    assert of(delivery.raw).instruction == WANTED


async def test_the_content_may_be_base64() -> None:
    raw = message("Füge hinzu", Subject="ä")
    coded = base64.encodebytes(raw).decode()
    receipt = {"recipients": [EDIT], "action": {"type": "SNS", "encoding": "BASE64"}}
    body = json.loads(notification(b"", content=coded, receipt=receipt))
    delivery = await opened(json.dumps(body), nothing)
    assert delivery is not None
    assert delivery.raw == raw


async def test_the_earlier_wiring_is_read() -> None:
    raw = message(WANTED)
    delivery = await opened(json.dumps({"content": base64.b64encode(raw).decode()}), nothing)
    assert delivery is not None
    assert (delivery.raw, delivery.envelope_from) == (raw, None)


async def test_a_mail_may_lie_in_s3() -> None:
    async def fetch(bucket: str, key: str) -> bytes:
        assert (bucket, key) == ("mails", "in/1")
        return message(WANTED)

    receipt = {"recipients": [EDIT], "action": {"type": "S3", "bucketName": "mails", "objectKey": "in/1"}}
    delivery = await opened(notification(b"", content=None, receipt=receipt), fetch)
    assert delivery is not None
    assert of(delivery.raw).instruction == WANTED


@pytest.mark.parametrize("kind", ["Bounce", "Complaint", "Delivery", "AmazonSnsSubscriptionSucceeded"])
async def test_other_notifications_hold_no_mail(kind: str) -> None:
    assert await opened(notification(b"", notificationType=kind), nothing) is None


@pytest.mark.parametrize(
    "body",
    [
        "",
        "junk",
        "[]",
        "{}",
        "null",
        '"text"',
        "[" * 100_000,
        '{"Type":"Notification"}',
        '{"Type":"Notification","Message":"junk"}',
        '{"Type":"Notification","Message":{}}',
        '{"content":"***"}',
        '{"content":7}',
        '{"notificationType":"Received"}',
        '{"notificationType":"Received","mail":7,"receipt":{"action":[]},"content":null}',
    ],
)
async def test_malformed_messages_are_told(body: str) -> None:
    with pytest.raises(Malformed):
        await opened(body, nothing)


@patient
@given(st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.dictionaries(st.text(), inner)))
async def test_any_json_is_read_or_told(value: object) -> None:
    inner = {"notificationType": "Received", "mail": value, "receipt": value, "content": value}
    for body in (value, inner, {"Type": "Notification", "Message": json.dumps(inner)}):
        try:
            await opened(json.dumps(body), nothing)
        except Malformed:
            continue


# ---- Who, which thread, what


def test_the_sender_is_the_address_without_the_name() -> None:
    assert of(message(WANTED, From='"Baker, Ann" <Ann@Clients.Example.ORG>')).sender == ANN
    assert of(message(WANTED, From=ANN)).sender == ANN


@pytest.mark.parametrize("sender", ["", "nobody", "undisclosed-recipients:;", "<@x>", "a@"])
def test_a_mail_without_a_sender_is_malformed(sender: str) -> None:
    raw = message(WANTED, From="").decode()
    with pytest.raises(Malformed, match="no From"):
        of(f"From: {sender}\r\n{raw}".encode() if sender else raw.encode())


@pytest.mark.parametrize(
    ("text", "html", "headers", "thread"),
    [
        (f"{WANTED}\n> Conversation ID: abc-1", None, {}, "abc-1"),
        (f"{WANTED}\nConversation ID:\n  abc-1", None, {}, "abc-1"),
        (f"{WANTED}", "<p>x</p><p>Conversation ID: <b>abc-1</b></p>", {}, "abc-1"),
        (f"{WANTED}", "<blockquote>Conversation&nbsp;ID:&nbsp;abc-1</blockquote>", {}, "abc-1"),
        (f"{WANTED}\nConversation ID: thread-abc-1", None, {}, "abc-1"),
        (WANTED, None, {"In_Reply_To": "<w1.thread-abc-1@it.example.com>"}, "abc-1"),
        (WANTED, None, {"References": "<a@b> <thread-old@x> <thread-abc-1@it.example.com> <c@d>"}, "abc-1"),
        (WANTED, None, {"In_Reply_To": "<thread-abc-1@x>", "References": "<thread-z@x>"}, "abc-1"),
        (f"{WANTED}\nConversation ID: abc-1", None, {"In_Reply_To": "<thread-other@x>"}, "abc-1"),
        (WANTED, None, {"In_Reply_To": "<0101-000000@us-west-2.amazonses.com>"}, None),
        (WANTED, None, {}, None),
        (f"{WANTED}\nConversation ID: ../../etc", None, {}, None),
        (f"{WANTED}\nConversation ID: {'x' * 500}", None, {"In_Reply_To": "<thread-abc-1@x>"}, "abc-1"),
        (f"{WANTED}\nConversation ID: --x", None, {}, None),
    ],
)
def test_the_thread_is_found(text: str, html: str | None, headers: dict[str, str], thread: str | None) -> None:
    assert of(message(text, html, **headers)).thread_id == thread


@pytest.mark.parametrize("coding", ["7bit", "8bit", "quoted-printable", "base64"])
@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1"])
def test_texts_are_decoded(coding: str, charset: str) -> None:
    words = 'Add a page called "Brötchen"' if coding != "7bit" else WANTED
    made = EmailMessage()
    made["From"], made["Subject"] = ANN, "Ä"
    made.set_content(words, charset=charset, cte=coding)
    mail = of(made.as_bytes())
    assert (mail.instruction, mail.subject) == (words, "Ä")


def test_an_unknown_charset_is_read_as_well_as_it_can_be() -> None:
    raw = message(WANTED).replace(b'charset="utf-8"', b'charset="klingon"')
    assert of(raw).instruction == WANTED


def test_an_html_only_mail_is_read() -> None:
    made = EmailMessage()
    made["From"] = ANN
    made.set_content("<p>Add a page called &quot;Hello&quot;</p>", subtype="html")
    assert of(made.as_bytes()).instruction == WANTED


def test_the_plain_text_is_preferred_and_a_blank_one_is_not() -> None:
    assert of(message(WANTED, "<p>other</p>")).instruction == WANTED
    assert of(message(" \n", f"<p>{WANTED}</p>")).instruction == WANTED


def test_attachments_and_attached_mails_are_not_instructions() -> None:
    made = EmailMessage()
    made["From"] = ANN
    made.set_content(WANTED)
    made.add_attachment("delete about.astro", filename="notes.txt")
    made.add_attachment(email.message_from_bytes(message("Conversation ID: evil"), policy=email.policy.default))
    mail = of(made.as_bytes())
    assert (mail.instruction, mail.thread_id) == (WANTED, None)


def test_flowed_lines_are_joined() -> None:
    raw = message("Add a page called \nHello\nslow 1\n-- \nAnn").replace(
        b'charset="utf-8"', b'charset="utf-8"; format=flowed'
    )
    assert of(raw).instruction == "Add a page called Hello\nslow 1"


def test_the_subject_stands_in_for_an_empty_mail_but_not_for_an_empty_reply() -> None:
    assert of(message("\n", Subject=WANTED)).instruction == WANTED
    assert of(message("> quoted", Subject=f"Re: {WANTED}")).instruction == ""


@pytest.mark.parametrize(
    ("headers", "more"),
    [
        ({"Auto_Submitted": "auto-replied"}, {}),
        ({"Auto_Submitted": "auto-generated; type=x"}, {}),
        ({"Precedence": "bulk"}, {}),
        ({"Return_Path": "<>"}, {}),
        ({}, {"envelope_from": ""}),
        ({"From": "MAILER-DAEMON@mail.example.org"}, {}),
        ({"From": "Webordinary <Edit@it.example.com>"}, {}),
        ({"From": "edit+acme@it.example.com"}, {}),
        ({}, {"has_virus": True}),
    ],
)
def test_what_machines_write_is_not_answered(headers: dict[str, str], more: dict[str, Any]) -> None:
    assert of(message(WANTED, **headers), **more).automatic


def test_a_delivery_report_is_not_answered() -> None:
    raw = message(WANTED).replace(b"Content-Type: text/plain", b"Content-Type: multipart/report; boundary=x", 1)
    assert of(raw).automatic


def test_what_people_write_is_answered() -> None:
    assert of(message(WANTED, Auto_Submitted="no", Precedence="normal")).automatic is None


@patient
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_told(raw: bytes) -> None:
    for content in (raw, b"From: a@b.c\r\n" + raw, message(WANTED) + raw):
        try:
            of(content)
        except Malformed:
            continue


BITS = [
    *("From: ", "Subject: ", "Content-Type: ", "Content-Transfer-Encoding: base64", "In-Reply-To: ", "multipart/mixed"),
    *("; boundary=x", "--x", "--x--", "\r\n", "a@b.c", "<", ">", "=?utf-8?b?", "?=", "=?x?q?=FF?=", ",", '"', "é"),
]


@patient
@given(st.lists(st.sampled_from(BITS), max_size=30))
def test_any_shape_of_mail_is_read_or_told(bits: list[str]) -> None:
    with suppress(Malformed):
        of(("From: a@b.c\r\n" + "".join(bits)).encode())


# ---- Replies


def reply_to(
    mail: Mail, outcome: Outcome | None = None, preview_url: str | None = "http://alb/session/s1"
) -> EmailMessage:
    done = outcome or Outcome(True, "Add page", "c0ffee", ("src/pages/hello.astro",))
    raw = composed(Reply(mail, done, "abc-1", preview_url, "w1"), EDIT, 1_795_363_985.0)
    made = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(made, EmailMessage)
    return made


def parts(made: EmailMessage) -> dict[str, str]:
    return {part.get_content_type(): part.get_content() for part in made.iter_parts()}


def test_a_reply_belongs_to_its_mail() -> None:
    made = reply_to(of(message(WANTED, Subject="The site", References="<a@b> <c@d>")))
    assert made["Subject"] == "Re: The site"
    assert made["To"] == ANN
    assert made["In-Reply-To"] == "<first@clients.example.org>"
    assert made["References"].split() == ["<a@b>", "<c@d>", "<first@clients.example.org>"]
    assert "thread-abc-1@it.example.com>" in made["Message-ID"]
    assert made["Auto-Submitted"] == "auto-replied"


def test_a_reply_says_what_was_done_in_both_forms() -> None:
    made = reply_to(of(message(WANTED)))
    assert made.get_content_type() == "multipart/alternative"
    for text in parts(made).values():
        assert "Conversation ID: abc-1" in text
        assert "http://alb/session/s1" in text
        assert "src/pages/hello.astro" in text


def test_a_reply_to_what_failed_says_why() -> None:
    made = reply_to(of(message(WANTED)), Outcome(False, "I do not <understand> & so on"), None)
    text, html = parts(made).values()
    assert "I do not <understand> & so on" in text
    assert "I do not &lt;understand&gt; &amp; so on" in html
    assert "Preview" not in text


def test_a_reply_can_be_answered() -> None:
    """What comes back leads to the same thread: by the footer, in either form, or by the headers."""
    first = reply_to(of(message(WANTED)))
    plain, html = parts(first).values()
    quoted = "".join(f"> {line}\n" for line in plain.splitlines())
    assert of(message(f"{WANTED}\n\nOn Mon, W wrote:\n{quoted}")).thread_id == "abc-1"
    assert of(message(" ", f"<p>{WANTED}</p><blockquote>{html}</blockquote>")).thread_id == "abc-1"
    assert of(message(WANTED, In_Reply_To=str(first["Message-ID"]))).thread_id == "abc-1"


@pytest.mark.parametrize("subject", ["Re: x", "RE: x", "re: Re: x"])
def test_a_subject_gets_one_prefix(subject: str) -> None:
    assert reply_to(of(message(WANTED, Subject=subject)))["Subject"] == subject


def test_a_mail_without_a_message_id_gets_a_reply_without_references() -> None:
    made = reply_to(of(message(WANTED, Message_ID="")))
    assert made["In-Reply-To"] is None
    assert made["References"] is None


def test_message_ids_longer_than_a_line_stay_whole() -> None:
    """Outlook's and SES's are; folded into encoded words, no mail program would find the thread."""
    long = f"<{'a1b2c3d4-' * 10}000000@us-west-2.amazonses.com>"
    mail = of(message(WANTED, Subject="Größe " * 30))
    mail = replace(mail, message_id=long, references=("<a@b>", long.replace("a1", "z9")))
    raw = composed(Reply(mail, Outcome(True, "Add page"), "abc-1", None, "w1"), EDIT, 1_795_363_985.0)
    head = raw.partition(b"\r\n\r\n")[0].decode()
    assert f"In-Reply-To: {long}\r\n" in head
    assert f"References: <a@b> {long.replace('a1', 'z9')} {long}\r\n" in head
    assert max(len(line) for line in head.splitlines() if long not in line) <= 78


def test_a_long_chain_of_references_is_cut_in_the_middle() -> None:
    chain = [f"<{number}@x>" for number in range(50)]
    references = reply_to(of(message(WANTED, References=" ".join(chain))))["References"].split()
    assert len(references) == 20
    assert (references[0], references[-2], references[-1]) == ("<0@x>", "<49@x>", "<first@clients.example.org>")


@patient
@given(st.text(max_size=300), st.text(max_size=300))
def test_no_words_break_a_reply(subject: str, reason: str) -> None:
    mail = of(message(WANTED))
    hostile = Mail(**{**vars(mail), "subject": " ".join(subject.split())})
    made = reply_to(hostile, Outcome(False, reason))
    assert sorted(made.keys()).count("To") == 1
    assert made["Bcc"] is None
    assert "Conversation ID: abc-1" in parts(made)["text/plain"]


def test_an_outcome_survives_the_table() -> None:
    outcome = Outcome(True, 'a "b" \n', "c0ffee", ("x", "y"))
    assert Outcome.from_json(outcome.to_json()) == outcome
