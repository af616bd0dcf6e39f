"""Checkers: they read the history, and a crash is never a pass."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.support.kit import ManualClock
from webordinary_testkit.kit.backends.interface import MailRefused
from webordinary_testkit.kit.core.checkers import Finding, every_operation_ended, one_reply_each, run_checkers
from webordinary_testkit.kit.core.history import Event, History
from webordinary_testkit.kit.core.verdict import Verdict

YOU, OTHER = "you@x", "other@x"


def mails(sent: Sequence[str], replied: Sequence[str | tuple[str, str]], open_ones: Sequence[str] = ()) -> list[Event]:
    """Mails that YOU sent, and the replies that came: to YOU, unless another is named."""
    history = History(ManualClock())
    for message in sent:
        history.note("send_mail", value={}, message=message, user="You@x")
    for message in open_ones:
        with history.operation("send_mail", message=message, user=YOU) as operation:
            operation.info("connection lost")
    for reply in replied:
        user, message = (YOU, reply) if isinstance(reply, str) else reply
        history.note("reply", value={}, message=message, user=user)
    return history.events()


def test_every_mail_answered_once_is_a_pass() -> None:
    assert one_reply_each(mails(["<1>", "<2>"], ["<2>", "<1>"])).verdict is Verdict.PASS


def test_a_mail_without_a_reply_fails_and_is_named() -> None:
    found = one_reply_each(mails(["<1>", "<2>"], ["<2>"]))
    assert found == Finding(Verdict.FAIL, "no reply to <1> of you@x")


def test_a_mail_with_two_replies_fails_and_is_named() -> None:
    found = one_reply_each(mails(["<1>", "<2>"], ["<1>", "<2>", "<1>"]))
    assert found == Finding(Verdict.FAIL, "more than one reply to <1> of you@x")


@pytest.mark.parametrize("message", ["<2>", ""])
def test_a_reply_to_what_was_never_accepted_fails(message: str) -> None:
    found = one_reply_each(mails(["<1>"], ["<1>", message]))
    assert found == Finding(Verdict.FAIL, f"a reply to what was never accepted: {message or '(nothing)'} of you@x")


def test_a_reply_that_goes_to_another_is_none_for_the_one_and_a_stray_for_the_other() -> None:
    events = mails(["<1>"], [(OTHER, "<1>"), (OTHER, "<2>")])
    history = History(ManualClock())
    history.note("send_mail", value={}, message="<2>", user=OTHER)
    found = one_reply_each([*events, *history.events()])
    assert found.message == ("no reply to <1> of you@x; a reply to what was never accepted: <1> of other@x")


def test_a_late_reply_to_who_wrote_in_another_scenario_is_not_judged() -> None:
    assert one_reply_each(mails(["<1>"], ["<1>", (OTHER, "<2>")])).verdict is Verdict.PASS


def test_a_mail_that_was_refused_needs_no_reply_and_must_get_none() -> None:
    history = History(ManualClock())
    with pytest.raises(MailRefused), history.operation("send_mail", message="<1>", user=YOU):
        raise MailRefused(550, "no such user")
    assert one_reply_each(history.events()).verdict is Verdict.PASS
    stray = [*history.events(), *mails(["<2>"], ["<1>", "<2>"])]
    assert one_reply_each(stray).message == "a reply to what was never accepted: <1> of you@x"


def test_the_message_id_that_the_cloud_gave_is_the_one_that_is_answered() -> None:
    history = History(ManualClock())
    history.note("send_mail", value={"message": "<given>"}, message="<1>", user=YOU)
    history.note("reply", value={}, message="<given>", user=YOU)
    assert one_reply_each(history.events()).verdict is Verdict.PASS


def test_a_mail_whose_acceptance_is_open_may_have_a_reply_and_leaves_the_verdict_open() -> None:
    assert one_reply_each(mails(["<1>"], ["<1>"], open_ones=["<2>"])).verdict is Verdict.UNKNOWN
    assert one_reply_each(mails(["<1>"], ["<1>", "<2>"], open_ones=["<2>"])).verdict is Verdict.UNKNOWN


def test_an_operation_without_an_end_leaves_the_verdict_open() -> None:
    history = History(ManualClock())
    with pytest.raises(KeyboardInterrupt), history.operation("exec"):
        assert every_operation_ended(history.events()).verdict is Verdict.UNKNOWN
        raise KeyboardInterrupt
    assert every_operation_ended(history.events()).verdict is Verdict.PASS


def test_a_checker_that_crashes_has_found_nothing_out() -> None:
    def broken(events: Sequence[Event]) -> Finding:
        raise ZeroDivisionError("oops")

    (finding,) = run_checkers([], [broken])
    assert finding.verdict is Verdict.UNKNOWN
    assert "checker broken crashed: ZeroDivisionError: oops" in finding.message
