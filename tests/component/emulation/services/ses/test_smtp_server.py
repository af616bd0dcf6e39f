"""The SMTP server: sessions of real clients."""

from __future__ import annotations

import asyncio
import smtplib
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
import pytest_asyncio

from tests.support.mailroom import ANN, DOMAIN, EDIT, Mailroom, letter, mailroom
from tests.support.world import world
from webordinary_testkit.emulation.services.ses import Ses
from webordinary_testkit.emulation.services.ses.receiving.smtp_server import SIZE


@pytest_asyncio.fixture
async def room() -> AsyncIterator[Mailroom]:
    async with mailroom() as room:
        await room.rule("edit", [EDIT, f".{DOMAIN}"], [room.publish("inbound")])
        yield room


def reply(client: smtplib.SMTP, *commands: str) -> list[tuple[int, str]]:
    answers = [client.docmd(command) for command in commands]
    return [(code, text.decode()) for code, text in answers]


async def test_it_introduces_itself_with_what_it_can(room: Mailroom) -> None:
    def talk(client: smtplib.SMTP) -> dict[str, str]:
        client.ehlo("laptop.example.org")
        return dict(client.esmtp_features)

    features = await room.smtp(talk)

    assert features["size"] == str(SIZE)
    assert {"8bitmime", "smtputf8", "pipelining", "enhancedstatuscodes"} <= features.keys()
    assert "starttls" not in features


async def test_an_unknown_recipient_is_refused_by_name_and_told_what_is_accepted(room: Mailroom) -> None:
    def talk(client: smtplib.SMTP) -> None:
        client.sendmail(ANN, [f"nobody@{DOMAIN}"], b"Subject: x\r\n\r\nx")

    with pytest.raises(smtplib.SMTPRecipientsRefused) as error:
        await room.smtp(talk)

    code, text = error.value.recipients[f"nobody@{DOMAIN}"]
    assert code == 550
    assert text.decode() == (
        f"5.1.1 Requested action not taken: mailbox unavailable: nobody@{DOMAIN} "
        f"(the active receipt rule set rules accepts .{DOMAIN}, {EDIT})"
    )


async def test_without_an_active_rule_set_it_says_so(room: Mailroom) -> None:
    await room.call("ses", "SetActiveReceiptRuleSet")

    def talk(client: smtplib.SMTP) -> list[tuple[int, str]]:
        return reply(client, "EHLO x", f"MAIL FROM:<{ANN}>", f"RCPT TO:<{EDIT}>")

    code, text = (await room.smtp(talk))[-1]
    assert code == 550
    assert "no receipt rule set is active" in text


async def test_a_domain_that_is_not_verified_receives_nothing(room: Mailroom) -> None:
    await room.call("ses", "CreateReceiptRule", RuleSetName="rules", Rule={"Name": "any", "Enabled": True})

    def talk(client: smtplib.SMTP) -> list[tuple[int, str]]:
        return reply(client, "EHLO x", f"MAIL FROM:<{ANN}>", "RCPT TO:<a@elsewhere.org>", f"RCPT TO:<any@{DOMAIN}>")

    *_, elsewhere, here = await room.smtp(talk)
    assert elsewhere[0] == 550
    assert "not a verified identity" in elsewhere[1]
    assert here[0] == 250


async def test_of_several_recipients_the_good_ones_receive(room: Mailroom) -> None:
    def talk(client: smtplib.SMTP) -> dict[str, Any]:
        return client.sendmail(ANN, [EDIT, f"no@{DOMAIN}", f"b@clients.{DOMAIN}"], bytes(letter()))

    refused = await room.smtp(talk)
    await room.controller.settle()

    assert list(refused) == [f"no@{DOMAIN}"]
    (notification,) = await room.notifications("inbound")
    assert notification["receipt"]["recipients"] == [EDIT, f"b@clients.{DOMAIN}"]


async def test_one_connection_carries_several_mails(room: Mailroom) -> None:
    def talk(client: smtplib.SMTP) -> None:
        for number in range(3):
            client.send_message(letter(subject=f"mail {number}"))

    await room.smtp(talk)
    await room.controller.settle()

    subjects = {note["mail"]["commonHeaders"]["subject"] for note in await room.notifications("inbound")}
    assert subjects == {"mail 0", "mail 1", "mail 2"}


async def test_commands_may_come_all_at_once(room: Mailroom) -> None:
    def talk() -> bytes:
        host, _, port = room.controller.smtp_address.partition(":")
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            commands = (
                f"EHLO x\r\nMAIL FROM:<{ANN}>\r\nRCPT TO:<{EDIT}>\r\nDATA\r\n"
                "Subject: piped\r\n\r\nbody\r\n.\r\nQUIT\r\n"
            )
            connection.sendall(commands.encode())
            return connection.makefile("rb").read()

    answers = await asyncio.to_thread(talk)
    await room.controller.settle()

    assert answers.splitlines()[-1].startswith(b"221")
    (notification,) = await room.notifications("inbound")
    assert notification["mail"]["commonHeaders"]["subject"] == "piped"


async def test_a_bounce_may_have_no_sender(room: Mailroom) -> None:
    await room.mail(bytes(letter()), sender="")

    (notification,) = await room.notifications("inbound")
    assert notification["mail"]["source"] == ""
    assert notification["content"].startswith("Return-Path: <>\r\n")


async def test_addresses_and_headers_may_be_utf8(room: Mailroom) -> None:
    def talk(client: smtplib.SMTP) -> None:
        client.ehlo("x")
        content = "From: Jürgen <jürgen@x.org>\r\nSubject: Grüße\r\n\r\nä".encode()
        client.sendmail("jürgen@x.org", [EDIT], content, mail_options=["SMTPUTF8", "BODY=8BITMIME"])

    await room.smtp(talk)
    await room.controller.settle()

    (notification,) = await room.notifications("inbound")
    assert notification["mail"]["source"] == "jürgen@x.org"
    assert notification["mail"]["commonHeaders"] == {
        "returnPath": "jürgen@x.org",
        "from": ["Jürgen <jürgen@x.org>"],
        "subject": "Grüße",
    }
    assert notification["content"].endswith("\r\n\r\nä\r\n")


async def test_an_address_that_is_no_text_is_refused(room: Mailroom) -> None:
    def talk(client: smtplib.SMTP) -> list[int]:
        client.ehlo("x")
        codes = []
        for command in (b"MAIL FROM:<\xff@x.org>", f"MAIL FROM:<{ANN}>".encode(), b"RCPT TO:<\xfe@it.example.com>"):
            assert client.sock is not None
            client.sock.sendall(command + b"\r\n")
            codes.append(client.getreply()[0])
        return codes

    assert await room.smtp(talk) == [553, 250, 553]


async def test_a_mail_announced_too_large_is_refused_before_it_is_sent(room: Mailroom) -> None:
    def talk(client: smtplib.SMTP) -> tuple[int, str]:
        return reply(client, "EHLO x", f"MAIL FROM:<{ANN}> SIZE={SIZE + 1}")[-1]

    code, text = await room.smtp(talk)

    assert code == 552
    assert text == "5.3.4 Message too big: SES takes at most 41943040 bytes (40 MB), headers included"


async def test_a_mail_that_grows_too_large_is_refused_when_it_ends(
    room: Mailroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "webordinary_testkit.emulation.services.ses.receiving.smtp_server.SIZE", 1000
    )  # 40 MB would take this test seconds

    def talk(client: smtplib.SMTP) -> tuple[int, bytes]:
        reply(client, "EHLO x", f"MAIL FROM:<{ANN}>", f"RCPT TO:<{EDIT}>")
        return client.data(b"Subject: x\r\n\r\n" + b"line\r\n" * 200)

    code, text = await room.smtp(talk)

    assert code == 552
    assert b"too big" in text


@pytest.mark.parametrize("content", [b"", b"just prose\r\n", b"\r\nSubject: in the body\r\n"])
async def test_what_has_no_header_section_is_no_mail(room: Mailroom, content: bytes) -> None:
    def talk(client: smtplib.SMTP) -> tuple[int, bytes]:
        reply(client, "EHLO x", f"MAIL FROM:<{ANN}>", f"RCPT TO:<{EDIT}>")
        return client.data(content)

    code, text = await room.smtp(talk)

    assert code == 554
    assert b"no header section" in text
    assert await room.notifications("inbound") == []


@pytest.mark.parametrize(
    "content",
    [
        b"Content-Type: multipart/mixed\r\n\r\nno boundary\r\n",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--y\r\n\r\nanother boundary\r\n",
        b"Content-Type: text/plain; charset=nonsense\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!\r\n",
        b"Subject: =?utf-8?q?=FF?=\r\nTo: ,,<>\r\n\r\n\xff\xfe\r\n",
    ],
)
async def test_broken_mime_is_taken_as_ses_takes_it(room: Mailroom, content: bytes) -> None:
    await room.mail(content)

    (notification,) = await room.notifications("inbound")
    assert notification["content"].endswith(content.decode("utf-8", "replace"))


async def test_a_line_longer_than_smtp_allows_is_refused(room: Mailroom) -> None:
    def talk(client: smtplib.SMTP) -> tuple[int, bytes]:
        reply(client, "EHLO x", f"MAIL FROM:<{ANN}>", f"RCPT TO:<{EDIT}>")
        return client.data(b"Subject: x\r\n\r\n" + b"x" * 5000 + b"\r\n")

    code, text = await room.smtp(talk)

    assert (code, b"Line too long" in text) == (500, True)


async def test_tls_is_offered_and_demanded_where_a_rule_requires_it(room: Mailroom) -> None:
    await room.rule("secret", [f"secret@{DOMAIN}"], [room.publish("secret")], TlsPolicy="Require")
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE

    def talk(client: smtplib.SMTP) -> tuple[list[int], list[int]]:
        recipients = (f"MAIL FROM:<{ANN}>", f"RCPT TO:<secret@{DOMAIN}>", f"RCPT TO:<{EDIT}>")
        client.ehlo("x")
        plain = [code for code, _ in reply(client, *recipients)]
        client.starttls(context=trusting)
        client.ehlo("x")
        return plain, [code for code, _ in reply(client, *recipients)]

    assert await room.smtp(talk) == ([250, 530, 250], [250, 250, 250])


async def test_a_port_that_is_taken_is_an_error_at_start() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(
            OSError, match=rf"the SMTP server cannot listen on 127\.0\.0\.1:{port}: .*next: .*smtp_port to 0"
        ):
            async with world(lambda ctx: Ses(ctx, port=port)):
                pass


async def test_stopping_ends_open_conversations(room: Mailroom) -> None:
    host, _, port = room.controller.smtp_address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    assert (await reader.readline()).startswith(b"220 inbound-smtp.us-west-2.amazonaws.com ESMTP")

    await room.controller.stop()

    with suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), 10) == b""
    with pytest.raises(OSError):
        await asyncio.open_connection(host, int(port))
    writer.close()
