"""The checkers of what lives and what is left: sessions, replies in time, tasks, and a quiet end."""

from __future__ import annotations

import pytest

from tests.support.mixes import IDLE, WITHIN, Recorder, found, two_sessions
from webordinary_testkit.kit.core.verdict import Verdict
from webordinary_testkit.kit.mixes.checkers import capacity, exactly_once, legal_life, liveness, mail_loop, quiet_end


@pytest.mark.parametrize("before, after", [("expired", "active"), ("draining", "active"), ("gone", "expired")])
def test_no_session_comes_back(before: str, after: str) -> None:
    recorder, _, _ = two_sessions()
    recorder.end("a")
    recorder.row("a", before)
    recorder.row("a", after)
    found(legal_life, recorder, f"went from {before} to {after}")


def test_ttl_and_last_activity_never_go_back() -> None:
    recorder, _, _ = two_sessions()
    recorder.row("a", "active")
    recorder.row("a", "active", idle_for=10)
    found(legal_life, recorder, "went back")


def test_a_session_that_is_not_idle_long_enough_does_not_expire() -> None:
    recorder, _, _ = two_sessions()
    recorder.row("a", "expired", idle_for=IDLE)
    assert legal_life(recorder.events()).verdict is Verdict.PASS
    recorder.row("b", "expired", idle_for=IDLE / 2)
    found(legal_life, recorder, "expired after 30.0 s without activity, of 60 s")


def test_the_end_of_one_session_does_not_drain_another() -> None:
    recorder, _, _ = two_sessions()
    recorder.end("a")
    recorder.row("b", "draining")
    found(legal_life, recorder, "is draining, and its client did not end it")


def test_an_end_that_was_refused_or_came_later_ends_nothing() -> None:
    recorder, _, _ = two_sessions()
    with recorder.history.operation("mix.end", session="a", session_id="s-a", cause="deactivate") as refused:
        refused.fail("409")
    recorder.row("a", "draining")
    recorder.end("a")
    found(legal_life, recorder, "is draining, and its client did not end it")


def test_a_row_lives_as_long_as_its_ttl() -> None:
    recorder, _, _ = two_sessions()
    recorder.end("a")
    recorder.row("a", "expired")
    recorder.later(1801)
    recorder.row("a", "gone")
    assert legal_life(recorder.events()).verdict is Verdict.PASS
    recorder.row("b", "active")
    recorder.row("b", "gone")
    found(legal_life, recorder, "the row of session s-b is gone 1800 s before its ttl")


def test_a_status_that_the_contract_does_not_name_is_illegal() -> None:
    recorder, _, _ = two_sessions()
    recorder.row("a", "sleeping")
    found(legal_life, recorder, "session s-a has the status 'sleeping'")


def test_a_late_reply_is_late_from_when_the_faults_were_undone() -> None:
    recorder = Recorder()
    recorder.plan(a="acme/john/a")
    page = recorder.instruct("a", "m1", message="<1>")
    recorder.later(WITHIN)
    recorder.history.note("mix.healed", value={})
    recorder.later(WITHIN - 1)
    recorder.reply(page)
    assert liveness(recorder.events()).verdict is Verdict.PASS
    late = recorder.instruct("a", "m2", message="<2>")
    recorder.later(WITHIN + 60)
    recorder.reply(late)
    found(liveness, recorder, "was answered 60 s after its time")


def test_whether_a_mail_is_answered_is_open_while_its_time_is_not_over() -> None:
    recorder = Recorder()
    recorder.plan(a="acme/john/a")
    recorder.instruct("a", "m1", message="<1>")
    assert liveness(recorder.events()).verdict is Verdict.UNKNOWN


def test_a_mail_is_not_late_while_a_fault_is_in_effect() -> None:
    recorder = Recorder()
    recorder.plan(a="acme/john/a")
    recorder.instruct("a", "m1", message="<1>")
    recorder.fault("nemesis.inject")
    recorder.later(10 * WITHIN)
    recorder.counts(1)
    assert liveness(recorder.events()).verdict is Verdict.UNKNOWN
    recorder.fault("nemesis.undo")
    recorder.later(WITHIN)
    recorder.counts(1)
    found(liveness, recorder, "was not answered within 300 s")


def test_an_active_session_without_a_task_for_two_minutes_is_starved() -> None:
    recorder, _, _ = two_sessions()
    recorder.row("a", "active")
    recorder.counts(0)
    recorder.later(119)
    recorder.row("a", "active")
    recorder.counts(0)
    assert capacity(recorder.events()).verdict is Verdict.PASS
    recorder.later(2)
    recorder.counts(0)
    found(capacity, recorder, "session s-a is active, and no task has been desired for 121 s")


def test_the_two_minutes_begin_when_the_last_fault_was_undone() -> None:
    recorder, _, _ = two_sessions()
    recorder.fault("nemesis.inject")
    recorder.row("a", "active")
    for _ in range(3):
        recorder.counts(0)
        recorder.later(100)
        recorder.row("a", "active")
    recorder.fault("nemesis.undo")
    recorder.later(119)
    recorder.row("a", "active")
    recorder.counts(0)
    assert capacity(recorder.events()).verdict is Verdict.PASS
    recorder.later(2)
    recorder.row("a", "active")
    recorder.counts(0)
    found(capacity, recorder, "session s-a is active, and no task has been desired for 121 s")


def test_a_session_that_was_not_looked_at_for_its_idle_time_may_have_expired() -> None:
    recorder, _, _ = two_sessions()
    recorder.row("a", "active")
    recorder.later(IDLE + 1)
    recorder.counts(0)
    recorder.later(500)
    recorder.counts(0)
    assert capacity(recorder.events()).verdict is Verdict.PASS


def test_a_session_that_ended_needs_no_task() -> None:
    recorder, _, _ = two_sessions()
    recorder.row("a", "active")
    recorder.row("a", "expired")
    recorder.counts(0)
    recorder.later(500)
    recorder.counts(0)
    assert capacity(recorder.events()).verdict is Verdict.PASS


def test_a_history_that_was_cut_off_says_nothing_about_the_end() -> None:
    recorder, _, _ = two_sessions()
    assert quiet_end(recorder.events()).verdict is Verdict.UNKNOWN
    recorder.quiet(open_sessions=2, tasks=1)
    found(quiet_end, recorder, "left at the end: 1 tasks, 2 open sessions")


def test_a_robot_is_answered_so_often_and_no_more() -> None:
    recorder = Recorder(most_replies=3)
    recorder.plan(a="acme/john/a")
    for number in range(4):
        page = recorder.instruct("a", f"r{number}", message=f"<r{number}>", robot="yes")
        if number < 3:
            recorder.reply(page)
    recorder.later(WITHIN + 1)
    recorder.quiet()
    assert mail_loop(recorder.events()).verdict is Verdict.PASS
    assert liveness(recorder.events()).verdict is Verdict.PASS
    recorder.instruct("a", "human", message="<human>")
    recorder.later(WITHIN + 1)
    recorder.quiet()
    assert liveness(recorder.events()).verdict is Verdict.PASS
    recorder.reply(page)
    found(mail_loop, recorder, "the robot of session a was answered 4 times")


def test_a_thread_has_one_session_that_takes_work() -> None:
    recorder, _, _ = two_sessions()
    recorder.history.note("mix.open", value={"sessions": ["s1"]}, session="a")
    assert legal_life(recorder.events()).verdict is Verdict.PASS
    recorder.history.note("mix.open", value={"sessions": ["s1", "s2"]}, session="a")
    found(legal_life, recorder, "there are 2 open sessions of one thread: s1, s2")


def test_a_session_does_not_expire_while_a_mail_is_carried_out_in_it() -> None:
    recorder = Recorder()
    recorder.plan(a="acme/john/a")
    page = recorder.instruct("a", "m1", message="<1>")
    recorder.later(1)
    recorder.row("a", "initializing")
    recorder.later(IDLE + 5)
    recorder.row("a", "expired", idle_for=IDLE + 5)
    assert legal_life(recorder.events()).verdict is Verdict.PASS
    recorder.later(1)
    recorder.reply(page)
    found(legal_life, recorder, "session s-a expired while m1 of session a (acme/john/a) was being carried out in it")
    recorder.history.note("mix.healed", value={})
    assert legal_life(recorder.events()).verdict is Verdict.PASS


def test_a_person_after_a_robot_meets_its_limit_too_for_an_hour() -> None:
    recorder = Recorder(most_replies=3)
    recorder.plan(a="acme/john/a")
    for number in range(3):
        robot = recorder.instruct("a", f"r{number}", message=f"<r{number}>", robot="yes", user="john@x")
        recorder.reply(robot, user="john@x")
    recorder.instruct("a", "m1", message="<m1>", user="john@x")
    recorder.later(WITHIN + 1)
    recorder.commits("a")
    assert liveness(recorder.events()).verdict is Verdict.PASS
    assert exactly_once(recorder.events()).verdict is Verdict.PASS
    recorder.later(3600)
    recorder.instruct("a", "m2", message="<m2>", user="john@x")
    recorder.later(WITHIN + 1)
    recorder.quiet()
    found(liveness, recorder, "m2 of session a (acme/john/a) was not answered within 300 s")
