"""The outbox, and the reports that go out by mail."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy

from hypothesis import given
from hypothesis import strategies as st

from webordinary_testkit.emulation.core.ids import Ids
from webordinary_testkit.emulation.services.ses.bounces import Failure, report
from webordinary_testkit.emulation.services.ses.sending.outbox import CAPACITY, Outbox, SentMail, describe
from webordinary_testkit.emulation.time.clock import Clock

MAIL = SentMail(
    id="1",
    at=0.0,
    caller="AKIA",
    sender="=?utf-8?q?J=C3=B6?= <jo@x.org>",
    return_path="",
    recipients=("a@b.org",),
    raw=b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>\xc3\xa4</p>\r\n",
)


def test_people_read_it_decoded() -> None:
    assert describe(MAIL) == {
        "id": "1",
        "kind": "mail",
        "at": "1970-01-01T00:00:00.000Z",
        "caller": "AKIA",
        "from": "Jö <jo@x.org>",
        "to": ["a@b.org"],
        "subject": "Grüße",
        "text": None,
        "html": "<p>ä</p>\n",
        "raw": MAIL.raw.decode(),
    }


@given(st.binary(max_size=300))
def test_any_bytes_can_be_described(raw: bytes) -> None:
    assert describe(replace(MAIL, raw=raw))["raw"] == raw.decode("utf-8", "replace")


@given(st.binary(max_size=60))
def test_any_content_type_can_be_described(value: bytes) -> None:
    describe(replace(MAIL, raw=b"Content-Type: multipart/mixed; boundary=" + value + b"\r\n\r\n--x\r\n\r\n--x--\r\n"))
    describe(replace(MAIL, raw=b"Content-Type: text/plain; charset=" + value + b"\r\n\r\n\xff\r\n"))


def test_the_oldest_are_forgotten_first() -> None:
    outbox = Outbox()
    for number in range(CAPACITY + 2):
        outbox.add(replace(MAIL, id=str(number)))

    assert (len(outbox), next(iter(outbox)).id) == (CAPACITY, "2")
    assert outbox.find("1") is None


ADDRESS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="<>"), min_size=1, max_size=40)


@given(original=st.binary(max_size=200), to=ADDRESS, recipient=ADDRESS, diagnostic=st.text(max_size=60))
def test_a_delivery_report_can_be_made_of_anything(original: bytes, to: str, recipient: str, diagnostic: str) -> None:
    failure = Failure("5.1.1", diagnostic.encode("utf-8", "replace").decode())

    raw = report(
        original,
        [recipient],
        failure,
        sender="MAILER-DAEMON@us-west-2.amazonses.com",
        to=to,
        at=Clock().utcnow(),
        mta="mta.example",
        ids=Ids.seeded(1),
    )

    parsed = message_from_bytes(raw, policy=policy.default)
    assert parsed["Subject"] == "Delivery Status Notification (Failure)"
    assert [part.get_content_type() for part in parsed.iter_parts()] == [
        "text/plain",
        "message/delivery-status",
        "text/rfc822-headers",
    ]
