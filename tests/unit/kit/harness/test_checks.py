"""Checks count, and end what does not hold."""

from __future__ import annotations

import pytest

from tests.support.kit import ManualClock
from webordinary_testkit.kit.core.errors import CheckFailed
from webordinary_testkit.kit.core.history import FAIL, OK, History
from webordinary_testkit.kit.harness.checks import Checks


def checks() -> Checks:
    return Checks(History(ManualClock()), ("history.jsonl",))


def test_every_check_counts_also_the_one_that_fails() -> None:
    counted = checks()
    counted.check(True, "the sky to be blue")
    with pytest.raises(CheckFailed):
        counted.check(False, "pigs to fly")
    assert counted.asserted == 2
    assert [event.type for event in counted.history.events() if event.type in (OK, FAIL)] == [OK, FAIL]


def test_a_failure_says_what_was_expected_what_was_seen_and_where_to_look() -> None:
    with pytest.raises(CheckFailed) as failed:
        checks().equal(503, 200, "the status", next="kit logs edit")
    assert (
        str(failed.value) == "expected: the status to be 200\nseen: 503\nevidence: history.jsonl\nnext: kit logs edit"
    )


def test_seeing_none_is_shown_too() -> None:
    with pytest.raises(CheckFailed, match="seen: None"):
        checks().check(None, "a row", seen=None)


def test_equality_in_any_order_is_reported_in_the_expected_order() -> None:
    counted = checks()
    counted.same(["b", "a", "a"], ["a", "b", "a"], "what was seen")
    assert counted.history.events()[0].touches == {"what": "what was seen to be ['a', 'b', 'a'], in any order"}
    with pytest.raises(CheckFailed):
        counted.same(["a", "b"], ["a", "a"], "what was seen")
