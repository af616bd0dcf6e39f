"""Checkers: they read the history, and a crash is never a pass."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from kit.checker import Finding, every_operation_ended, judged, one_reply_each
from kit.history import Event, History
from kit.verdict import Verdict
from tests.support.kit import ManualClock


def mails(sent: Sequence[str], replied: Sequence[str], open_ones: Sequence[str] = ()) -> list[Event]:
    history = History(ManualClock())
    for message in sent:
        history.note("send_mail", value={}, message=message)
    for message in open_ones:
        with history.operation("send_mail", message=message) as operation:
            operation.info("connection lost")
    for message in replied:
        history.note("reply", value={}, message=message)
    return history.events()


def test_every_mail_answered_is_a_pass() -> None:
    assert one_reply_each(mails(["<1>", "<2>"], ["<2>", "<1>"])).verdict is Verdict.PASS


def test_a_mail_without_a_reply_fails_and_is_named() -> None:
    found = one_reply_each(mails(["<1>", "<2>"], ["<2>"]))
    assert found == Finding(Verdict.FAIL, "no reply to <1>")


def test_a_reply_to_a_mail_that_was_never_accepted_fails() -> None:
    assert one_reply_each(mails([], ["<1>"])).verdict is Verdict.FAIL


def test_a_mail_whose_acceptance_is_open_leaves_the_verdict_open() -> None:
    assert one_reply_each(mails(["<1>"], ["<1>"], open_ones=["<2>"])).verdict is Verdict.UNKNOWN


def test_an_operation_without_an_end_leaves_the_verdict_open() -> None:
    history = History(ManualClock())
    with pytest.raises(KeyboardInterrupt), history.operation("exec"):
        assert every_operation_ended(history.events()).verdict is Verdict.UNKNOWN
        raise KeyboardInterrupt
    assert every_operation_ended(history.events()).verdict is Verdict.PASS


def test_a_checker_that_crashes_has_found_nothing_out() -> None:
    def broken(events: Sequence[Event]) -> Finding:
        raise ZeroDivisionError("oops")

    (finding,) = judged([], [broken])
    assert finding.verdict is Verdict.UNKNOWN
    assert "checker broken crashed: ZeroDivisionError: oops" in finding.message
