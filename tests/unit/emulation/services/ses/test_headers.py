"""Header sections, read from raw bytes."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webordinary_testkit.emulation.services.ses import headers


def test_fields_keep_their_order_and_spelling_and_are_unfolded() -> None:
    raw = b"From: a@b.c\r\nx-ODD: 1\r\nReceived: from x\r\n by y\r\n\tfor z\r\nReceived: again\r\n\r\nFake: body\r\n"

    assert headers.parse(raw) == [
        ("From", "a@b.c"),
        ("x-ODD", "1"),
        ("Received", "from x by y for z"),
        ("Received", "again"),
    ]


def test_a_line_that_is_no_field_ends_the_header_section() -> None:
    assert headers.parse(b"Subject: s\r\nthis is prose\r\nTo: a@b.c\r\n\r\n") == [("Subject", "s")]


@pytest.mark.parametrize(
    "raw", [b"", b"\r\n", b"\r\nSubject: body", b"prose\r\n", b"http//x\r\n\r\n", b" folded: 1\r\n"]
)
def test_what_does_not_begin_with_a_field_has_no_header_section(raw: bytes) -> None:
    assert headers.parse(raw) == []


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(raw: bytes) -> None:
    for name, value in headers.parse(raw):
        assert name
        assert "\n" not in value
        headers.decoded(value)
        headers.mailboxes(value)


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1).map(str.strip).filter(bool))
def test_a_subject_comes_out_as_it_was_written(subject: str) -> None:
    message = EmailMessage()
    message["Subject"] = subject
    written = str(message["Subject"])

    value = headers.first(headers.parse(message.as_bytes()), "subject")

    assert value is not None
    assert headers.decoded(value).split() == written.split()


@pytest.mark.parametrize("value", ["=?nonsense?q?x?=", "=?utf-8?b?!!!?=", "=?utf-8?q?=FF?="])
def test_what_cannot_be_decoded_stays_text(value: str) -> None:
    assert isinstance(headers.decoded(value), str)


def test_mailboxes_are_split_at_commas_that_separate_them() -> None:
    value = '"Doe, Ann" <ann@x.org>, bob@y.org (Bob, the second), =?utf-8?q?J=C3=B6?= <jo@z.org>,'

    assert headers.mailboxes(value) == ['"Doe, Ann" <ann@x.org>', "bob@y.org (Bob, the second)", "Jö <jo@z.org>"]


def test_fields_are_taken_out_with_their_folds_and_the_rest_stays_byte_for_byte() -> None:
    head = b"From: a\r\nBcc: b,\r\n c\r\nSubject:  odd   spaces \r\ndate: x"

    assert headers.without(head, {"bcc", "date"}) == b"From: a\r\nSubject:  odd   spaces "
