"""The checkers of what surfaces where, of what is carried out, and of its order."""

from __future__ import annotations

import pytest

from tests.support.mixes import WITHIN, Page, Recorder, found, two_sessions
from webordinary_testkit.kit.core.verdict import Verdict
from webordinary_testkit.kit.mixes.checkers import (
    exactly_once,
    isolation,
    legal_life,
    order,
    sticky_reads,
)


def test_isolation_names_the_writer_and_both_sightings() -> None:
    recorder, page, _ = two_sessions()
    recorder.saw("b", page.marker, place="files")
    recorder.saw("b", page.marker, page="home")
    recorder.saw("b", page.marker, page="home")
    found(isolation, recorder, "ma of session a (acme/john/a) surfaced in acme/ann/b: files, preview")
    assert [event.name for event in isolation(recorder.events()).witness] == ["mix.instruct", "mix.saw", "mix.saw"]


def test_first_and_second_sighting_are_the_earliest_whatever_the_place() -> None:
    recorder, page, _ = two_sessions()
    recorder.commits("b", ("c1", [page.marker]))
    recorder.reply(Page("x", "", "b", "<z>", ""), markers=[page.marker])
    recorder.saw("b", page.marker)
    names = [event.name for event in isolation(recorder.events()).witness]
    assert names == ["mix.instruct", "mix.commits", "mix.reply"]


def test_a_reply_goes_to_the_sender_of_its_mail_and_to_no_other_person() -> None:
    recorder = Recorder()
    recorder.plan(a="acme/john/a", b="acme/ann/b")
    page = recorder.instruct("a", "ma", message="<a>", user="John@x")
    recorder.reply(page, user="john@x")
    assert isolation(recorder.events()).verdict is Verdict.PASS
    recorder.reply(page, user="ann@x")
    found(isolation, recorder, "the reply to ma of session a (acme/john/a) went to ann@x")


def test_a_reply_to_no_known_mail_holds_only_the_markers_of_its_recipient() -> None:
    recorder = Recorder()
    recorder.plan(a="acme/john/a", b="acme/ann/b")
    page = recorder.instruct("a", "ma", message="<a>", user="john@x")
    recorder.instruct("b", "mb", message="<b>", user="ann@x")
    unknown = {"value": {"markers": [page.marker], "sent": 0.0}, "message": "<?>"}
    recorder.history.note("mix.reply", user="john@x", **unknown)
    assert isolation(recorder.events()).verdict is Verdict.PASS
    recorder.history.note("mix.reply", user="ann@x", **unknown)
    found(isolation, recorder, "ma of session a (acme/john/a) surfaced in acme/ann/b: reply")


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


def one_after_the_other() -> Recorder:
    """Two instructions of a project, the second one given when the first one was answered."""
    recorder = Recorder()
    recorder.plan(a="acme/john/a")
    recorder.reply(recorder.instruct("a", "m1", message="<1>"))
    recorder.instruct("a", "m2", message="<2>")
    return recorder


def test_a_commit_before_one_that_was_answered_earlier_is_out_of_order() -> None:
    recorder = one_after_the_other()
    recorder.commits("a", ("c1", ["m1"]), ("c2", ["m2"]))
    assert order(recorder.events()).verdict is Verdict.PASS
    recorder = one_after_the_other()
    recorder.commits("a", ("c2", ["m2"]), ("c1", ["m1"]))
    found(order, recorder, "m1 of session a (acme/john/a) was done before m2")


@pytest.mark.parametrize(
    "later, message",
    [
        ([("c2", ["m2"])], "m2 of session a (acme/john/a) came before m1"),
        ([], "the commit of m1 of session a (acme/john/a) was there, and is gone"),
    ],
)
def test_a_branch_is_not_rewritten(later: list[tuple[str, list[str]]], message: str) -> None:
    recorder = one_after_the_other()
    recorder.commits("a", ("c1", ["m1"]))
    recorder.commits("a", ("c9", ["m1"]), ("c2", ["m2"]))
    assert order(recorder.events()).verdict is Verdict.PASS
    recorder.commits("a", *later)
    found(order, recorder, message)


def test_an_instruction_in_a_log_is_not_done_yet() -> None:
    recorder = Recorder()
    recorder.plan(a="acme/john/a")
    recorder.instruct("a", "m1")
    recorder.saw("a", "m1", place="logs")
    recorder.instruct("a", "m2")
    recorder.commits("a", ("c2", ["m2"]), ("c1", ["m1"]))
    assert order(recorder.events()).verdict is Verdict.PASS


def test_concurrent_instructions_may_have_either_order() -> None:
    recorder = Recorder()
    recorder.plan(a="acme/john/a")
    first, second = recorder.instruct("a", "m1", message="<1>"), recorder.instruct("a", "m2", message="<2>")
    recorder.reply(first)
    recorder.reply(second)
    recorder.commits("a", ("c2", [second.marker]), ("c1", [first.marker]))
    assert order(recorder.events()).verdict is Verdict.PASS


def test_a_commit_is_missing_only_when_it_was_due() -> None:
    recorder = Recorder()
    recorder.plan(a="acme/john/a")
    recorder.commits("a")
    recorder.instruct("a", "m1")
    recorder.commits("a")
    assert exactly_once(recorder.events()).verdict is Verdict.PASS
    recorder.later(WITHIN)
    recorder.commits("a")
    found(exactly_once, recorder, "m1 of session a (acme/john/a) was accepted, and made no commit")


def test_work_of_which_nothing_is_left_is_missing_in_the_history_of_its_person() -> None:
    recorder = Recorder()
    recorder.plan(a="acme/john/a", john="acme/john")
    recorder.reply(recorder.instruct("a", "m1", message="<1>"))
    recorder.saw("john", "m1", place="history")
    assert exactly_once(recorder.events()).verdict is Verdict.PASS
    recorder.reply(recorder.instruct("a", "m2", message="<2>"))
    recorder.saw("john", "m1", place="history")
    found(exactly_once, recorder, "m2 of session a (acme/john/a) was accepted, and made no commit")


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


def test_a_page_may_change_as_often_as_it_is_named() -> None:
    recorder, _, _ = two_sessions()
    for marker in ("m1", "m2", "m3"):
        recorder.instruct("a", marker, page="p")
        recorder.saw("a", marker, page="p")
    assert sticky_reads(recorder.events()).verdict is Verdict.PASS
    recorder.saw("a", "m2", page="p")
    found(sticky_reads, recorder, "m3 was on page 'p' of session s-a, and is not any more")


def test_a_page_keeps_what_it_shows_after_the_instructions_that_named_it_were_done() -> None:
    recorder, _, _ = two_sessions()
    recorder.instruct("a", "m1", page="p")
    recorder.saw("a", "m1", page="p")
    recorder.instruct("a", "m2", page="p")
    recorder.saw("a", "m1", "m2", page="p")
    recorder.saw("a", "m2", page="p")
    found(sticky_reads, recorder, "m1 was on page 'p'")


def test_looks_that_overlap_have_no_order() -> None:
    recorder, page, _ = two_sessions()
    about = {"session": "a", "session_id": "s-a", "project": "acme/john/a"}
    before = {"status": "active", "ttl": 0, "last_activity": 0}
    with (
        recorder.history.operation("mix.saw", place="preview", **about) as look,
        recorder.history.operation("mix.row", **about) as row,
    ):
        recorder.saw("a", page.marker, page="p")
        recorder.end("a")
        recorder.row("a", "draining")
        look.ok(markers=[], page="p", status=200)
        row.ok(**before)
    assert sticky_reads(recorder.events()).verdict is Verdict.PASS
    assert legal_life(recorder.events()).verdict is Verdict.PASS
    recorder.history.note("mix.row", value=before, **about)
    found(legal_life, recorder, "session s-a went from draining to active")
