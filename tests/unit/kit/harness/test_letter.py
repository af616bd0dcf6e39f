"""Letters: composed as mail programs do, and the same bytes when they are delivered again."""

from __future__ import annotations

import asyncio
import email
import email.message
import email.policy
from typing import Any

import pytest

from tests.support.kit import START, a_context
from webordinary_testkit.kit.harness.letter import Encoding, Letter
from webordinary_testkit.kit.harness.mail import Mail
from webordinary_testkit.kit.harness.mailbox import Mailbox

WORDS = "Grüße = 你好 " * 20


class EmptyQueue:
    """A replies queue without messages."""

    async def call(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        await asyncio.sleep(0)
        return {}


class Door:
    """Keeps what was sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, str, list[str]]] = []

    async def send(self, message: bytes, sender: str, recipients: list[str]) -> None:
        self.sent.append((message, sender, recipients))

    async def again(self, message: bytes, sender: str, recipients: list[str], message_id: str) -> None:
        assert message_id in message.decode()
        await self.send(message, sender, recipients)


def wire(letter: Letter, sender: str = "zoe@x") -> bytes:
    return letter.wire(sender=sender, to="edit@it.test", message_id="<1@x>", at=START)


def read(raw: bytes) -> email.message.EmailMessage:
    return email.message_from_bytes(raw, policy=email.policy.default)


@pytest.mark.parametrize("encoding", ["quoted-printable", "base64"])
@pytest.mark.parametrize("html", [False, True])
def test_an_encoded_body_is_ascii_on_the_wire_and_whole_when_read(encoding: Encoding, html: bool) -> None:
    raw = wire(Letter(WORDS, encoding=encoding, html=html))
    made = read(raw)
    assert raw.isascii()
    assert made["Content-Transfer-Encoding"] == encoding
    assert made.get_content_type() == ("text/html" if html else "text/plain")
    assert WORDS in made.get_content()


def test_a_plain_mail_that_is_not_plain_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        wire(Letter(WORDS, encoding="7bit"))


def test_a_display_name_precedes_the_address() -> None:
    written = read(wire(Letter("x", name='Zoë "Z" Ødegård')))["From"].addresses[0]
    assert (written.display_name, written.addr_spec) == ('Zoë "Z" Ødegård', "zoe@x")


def test_an_address_that_is_all_signs_is_written_so_that_it_can_be_read() -> None:
    for local in ("m/`id`$HOME|&'{}", "../../m"):
        assert read(wire(Letter("x"), sender=f"{local}@clients.it.test"))["From"].addresses[0].username == local


def test_html_quotes_in_a_block_of_its_own_and_escapes() -> None:
    body = (
        read(wire(Letter("<b>\n\nnext", quoted="On Monday, W wrote:\n> Hello\n> Bye", html=True)))
        .get_content()
        .replace("\r\n", "\n")
    )
    assert "<p>&lt;b&gt;</p>\n<p>next</p>" in body
    assert 'On Monday, W wrote:<blockquote type="cite">Hello<br>\nBye</blockquote>' in body


def test_the_date_is_aws_time() -> None:
    assert read(wire(Letter("x")))["Date"] == "Fri, 15 Jan 2027 08:00:00 +0000"


def test_a_message_id_longer_than_a_line_stays_whole() -> None:
    long = f"<{'a' * 90}@us-west-2.amazonses.com>"
    assert f"References: <1@x> {long}\r\n".encode() in wire(Letter("x", headers={"References": f"<1@x> {long}"}))


async def test_delivered_again_it_is_the_same_mail_byte_by_byte() -> None:
    door, box = Door(), Mailbox()
    mail = Mail(a_context(EmptyQueue(), mail=door), box)
    sent = await mail.send(Letter("x"), sender="Zoe@clients.it.test", to="edit@it.test")
    await mail.deliver_again(sent)
    await mail.close()
    assert len(door.sent) == 2
    assert door.sent[0] == door.sent[1] == (sent.raw, "Zoe@clients.it.test", ["edit@it.test"])
    assert sent.message_id in sent.raw.decode()
    assert "zoe@clients.it.test" in box.replies
