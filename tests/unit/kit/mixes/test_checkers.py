"""The checkers of mixes: sound histories pass all of them, and each violation is found by its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.mixes import IDLE, WITHIN, Page, Recorder, sound
from webordinary_testkit.kit.core.checkers import Checker
from webordinary_testkit.kit.core.verdict import Verdict
from webordinary_testkit.kit.mixes.checkers import (
    CHECKERS,
    capacity,
    exactly_once,
    isolation,
    legal_life,
    liveness,
    mail_loop,
    order,
    quiet_end,
    sticky_reads,
)

histories = st.tuples(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 12))


def two_sessions() -> tuple[Recorder, Page, Page]:
    """Two sessions of two people, each with one page that was asked for by mail and answered."""
    recorder = Recorder()
    recorder.plan(a="acme/john/a", b="acme/ann/b")
    pages = [recorder.instruct(name, f"m{name}", message=f"<{name}>") for name in ("a", "b")]
    for page in pages:
        recorder.reply(page)
        recorder.commits(page.session, (page.commit, [page.marker]))
    return recorder, pages[0], pages[1]


def found(checker: Checker, recorder: Recorder, message: str) -> None:
    """The checker finds a violation with this message, and shows it by events of the history."""
    finding = checker(recorder.events())
    assert finding.verdict is Verdict.FAIL
    assert message in finding.message
    assert finding.witness
    assert all(event in recorder.events() for event in finding.witness)


@given(histories)
def test_a_sound_history_passes_every_checker(history: tuple[int, int, int]) -> None:
    recorder, _ = sound(*history)
    for checker in CHECKERS:
        assert checker(recorder.events()).verdict is Verdict.PASS, (checker.__name__, checker(recorder.events()))


def unanswered(recorder: Recorder, page: Page) -> None:
    recorder.instruct(page.session, "nnnnnnn9", message="<nobody@x>")
    recorder.commits(page.session, ("later", []))
    recorder.later(WITHIN + 1)
    recorder.quiet()


def revived(recorder: Recorder, page: Page) -> None:
    recorder.end(page.session)
    recorder.row(page.session, "expired")
    recorder.row(page.session, "active")


Plant = Callable[[Recorder, Page], None]

PLANTED: dict[str, tuple[Checker, Plant]] = {
    "a marker on another's page": (isolation, lambda r, page: r.saw("idler", page.marker)),
    "a marker in another's reply": (
        isolation,
        lambda r, page: r.reply(Page("x", "", "idler", "<z>", ""), markers=[page.marker]),
    ),
    "a marker of an earlier mix": (isolation, lambda r, page: r.saw(page.session, "zzzzzzz9", place="hot_reload")),
    "a second commit": (
        exactly_once,
        lambda r, page: r.commits(page.session, ("c1", [page.marker]), ("c2", [page.marker])),
    ),
    "a commit that is not there": (exactly_once, unanswered),
    "a second reply": (exactly_once, lambda r, page: (r.reply(page), r.reply(page))[0]),
    "a page that is gone": (
        sticky_reads,
        lambda r, page: (r.saw(page.session, page.marker, page="p"), r.saw(page.session, page="p"))[0],
    ),
    "a session that comes back": (legal_life, revived),
    "a mail without a reply": (liveness, unanswered),
    "a task too many": (capacity, lambda r, page: r.counts(3)),
    "a dead letter": (quiet_end, lambda r, page: r.quiet(dead_letters=1)),
}


@pytest.mark.parametrize("what", PLANTED)
@given(histories)
def test_each_planted_violation_is_found_by_its_checker(what: str, history: tuple[int, int, int]) -> None:
    recorder, pages = sound(*history)
    pages = [page for page in pages if page.message] or [recorder.instruct("a", "mmmmmmm9", message="<m@x>")]
    checker, plant = PLANTED[what]
    plant(recorder, pages[0])
    assert checker(recorder.events()).verdict is Verdict.FAIL


def test_isolation_names_the_writer_and_both_sightings() -> None:
    recorder, page, _ = two_sessions()
    recorder.saw("b", page.marker, place="files")
    recorder.saw("b", page.marker, page="home")
    recorder.saw("b", page.marker, page="home")
    found(isolation, recorder, "ma of session a (acme/john/a) surfaced in acme/ann/b: files, preview")
    assert [event.name for event in isolation(recorder.events()).witness] == ["mix.instruct", "mix.saw", "mix.saw"]


def test_a_person_sees_the_markers_of_all_their_threads_in_their_files() -> None:
    recorder = Recorder()
    recorder.plan(a="acme/john/a", b="acme/john/b", files="acme/john")
    page = recorder.instruct("a", "ma")
    recorder.saw("files", page.marker, place="files")
    assert isolation(recorder.events()).verdict is Verdict.PASS
    recorder.saw("b", page.marker)
    found(isolation, recorder, "surfaced in acme/john/b")


def test_a_prefix_of_a_project_is_another_project() -> None:
    recorder = Recorder()
    recorder.plan(a="acme/john", b="acme/johnny")
    page = recorder.instruct("a", "ma")
    recorder.saw("b", page.marker, place="files")
    found(isolation, recorder, "surfaced in acme/johnny")


def test_an_unknown_instruction_may_be_carried_out_or_not_but_once() -> None:
    recorder, page, _ = two_sessions()
    lost = recorder.instruct("a", "lost", end="info")
    assert exactly_once(recorder.events()).verdict is Verdict.PASS
    recorder.commits("a", (page.commit, [page.marker]), ("c2", [lost.marker]))
    assert exactly_once(recorder.events()).verdict is Verdict.PASS
    recorder.commits("a", ("c3", [lost.marker]))
    found(exactly_once, recorder, "made 2 commits")


def test_a_refused_instruction_must_not_be_carried_out() -> None:
    recorder, _, _ = two_sessions()
    refused = recorder.instruct("a", "no", end="fail")
    recorder.commits("a", ("c2", [refused.marker]))
    found(exactly_once, recorder, "was refused, and made commit c2")


def test_a_commit_before_one_that_was_answered_earlier_is_out_of_order() -> None:
    recorder = Recorder()
    recorder.plan(a="acme/john/a")
    first = recorder.instruct("a", "m1", message="<1>")
    recorder.reply(first)
    second = recorder.instruct("a", "m2", message="<2>")
    recorder.commits("a", ("c1", [first.marker]), ("c2", [second.marker]))
    assert order(recorder.events()).verdict is Verdict.PASS
    recorder.commits("a", ("c2", [second.marker]), ("c1", [first.marker]))
    found(order, recorder, "m1 of session a (acme/john/a) was done before m2")


def test_concurrent_instructions_may_have_either_order() -> None:
    recorder = Recorder()
    recorder.plan(a="acme/john/a")
    first, second = recorder.instruct("a", "m1", message="<1>"), recorder.instruct("a", "m2", message="<2>")
    recorder.reply(first)
    recorder.reply(second)
    recorder.commits("a", ("c2", [second.marker]), ("c1", [first.marker]))
    assert order(recorder.events()).verdict is Verdict.PASS


def test_between_two_containers_a_page_may_be_away() -> None:
    recorder, page, _ = two_sessions()
    recorder.saw("a", page.marker, page="p")
    recorder.saw("a", page="p", status=503)
    recorder.saw("a", page.marker, page="p")
    assert sticky_reads(recorder.events()).verdict is Verdict.PASS
    recorder.saw("a", page="p", status=404)
    found(sticky_reads, recorder, "ma was on page 'p'")


def test_a_later_instruction_of_the_page_may_take_a_change_away() -> None:
    recorder, page, _ = two_sessions()
    recorder.saw("a", page.marker, page="p")
    recorder.instruct("a", "m2", page="p")
    recorder.saw("a", "m2", page="p")
    assert sticky_reads(recorder.events()).verdict is Verdict.PASS


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


def test_an_active_session_without_a_task_for_two_minutes_is_starved() -> None:
    recorder, _, _ = two_sessions()
    recorder.row("a", "active")
    recorder.counts(0)
    recorder.later(119)
    recorder.counts(0)
    assert capacity(recorder.events()).verdict is Verdict.PASS
    recorder.later(2)
    recorder.counts(0)
    found(capacity, recorder, "session s-a is active, and no task has been desired for 121 s")


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
    recorder, _, _ = two_sessions()
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
    recorder.reply(page)
    found(legal_life, recorder, "session s-a expired while m1 of session a (acme/john/a) was being carried out in it")
    recorder.history.note("mix.healed", value={})
    assert legal_life(recorder.events()).verdict is Verdict.PASS
