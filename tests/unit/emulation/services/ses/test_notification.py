"""The receipt notification, field by field, for mails that are not as they should be."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webordinary_testkit.emulation.services.ses.receiving.notification import (
    HEADERS_LIMIT,
    content,
    notification,
    object_key,
)
from webordinary_testkit.emulation.services.ses.receiving.received import Arrival, ReceivedMail, Verdicts
from webordinary_testkit.emulation.services.ses.receiving.rules import SnsAction

ACTION = SnsAction("arn:aws:sns:us-west-2:123456789012:inbound")


def notify(raw: bytes, *, sender: str = "ann@x.org", took: float = 0.25) -> dict[str, Any]:
    mail = ReceivedMail("id", 1_000_000.5, Arrival(sender, ("edit@it.example.com",), raw), Verdicts(), ())
    document: dict[str, Any] = json.loads(notification(mail, ["edit@it.example.com"], ACTION, now=1_000_000.5 + took))
    return document


def test_times_are_written_as_ses_writes_them() -> None:
    document = notify(b"Subject: x\r\n\r\n")

    assert document["mail"]["timestamp"] == document["receipt"]["timestamp"] == "1970-01-12T13:46:40.500Z"
    assert document["receipt"]["processingTimeMillis"] == 250


def test_the_destination_is_what_the_mail_itself_names() -> None:
    raw = b'To: "Doe, Ann" <ann@x.org>, list@y.org\r\nCc: z@z.org\r\nBcc: b@b.org\r\n\r\n'

    assert notify(raw)["mail"]["destination"] == ["ann@x.org", "list@y.org", "z@z.org"]


def test_without_to_and_cc_the_destination_is_the_envelopes() -> None:
    assert notify(b"Subject: x\r\n\r\n")["mail"]["destination"] == ["edit@it.example.com"]


def test_common_headers_name_only_what_is_there() -> None:
    assert notify(b"X-Nothing: else\r\n\r\n")["mail"]["commonHeaders"] == {"returnPath": "ann@x.org"}


def test_header_fields_beyond_10_kb_are_cut_off_and_said_to_be() -> None:
    fields = b"".join(b"X-%03d: %s\r\n" % (number, b"v" * 100) for number in range(120))

    mail = notify(b"Subject: kept\r\n" + fields + b"\r\n")["mail"]

    assert mail["headersTruncated"] is True
    assert mail["headers"][0] == {"name": "Subject", "value": "kept"}
    size = sum(len(header["name"]) + len(header["value"]) + 4 for header in mail["headers"])
    assert HEADERS_LIMIT - 110 < size <= HEADERS_LIMIT


def test_what_is_no_utf8_is_replaced_in_utf8_and_kept_in_base64() -> None:
    raw = b"Subject: x\r\n\r\n\xff\r\n"

    assert content(raw, "UTF-8").endswith("\ufffd\r\n")
    assert base64.b64decode(content(raw, "Base64")) == raw


@given(st.binary(max_size=300))
def test_any_bytes_make_a_notification(raw: bytes) -> None:
    assert notify(raw)["content"] == raw.decode("utf-8", "replace")


@pytest.mark.parametrize(
    ("prefix", "key"), [(None, "id"), ("", "id"), ("in", "in/id"), ("in/", "in/id"), ("a/b", "a/b/id")]
)
def test_a_prefix_is_a_folder(prefix: str | None, key: str) -> None:
    assert object_key(prefix, "id") == key
