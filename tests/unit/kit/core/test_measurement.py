"""Targets on a fast clock: decided only where they can be."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from webordinary_testkit.awsclock.page import Page
from webordinary_testkit.kit.core.clock import Clock
from webordinary_testkit.kit.core.measurement import Duration


def test_a_span_below_the_target_by_both_clocks_met_it() -> None:
    assert Duration(aws_seconds=50, seconds=0.8, target=60).met is True


def test_a_span_above_the_target_on_the_wall_missed_it() -> None:
    assert Duration(aws_seconds=3660, seconds=61, target=60).met is False


def test_between_the_clocks_nothing_is_decided() -> None:
    assert Duration(aws_seconds=120, seconds=2, target=60).met is None


def test_without_a_target_there_is_nothing_to_meet() -> None:
    assert Duration(1, 1).met is None
    assert "target_met" not in Duration(1, 1).to_json()


@given(st.floats(0, 1000), st.floats(0, 1000))
def test_in_real_time_every_target_is_decided(seconds: float, target: float) -> None:
    assert Duration(seconds, seconds, target).met is (seconds <= target)


def test_on_a_clock_that_jumps_a_duration_between_two_aws_times_has_no_wall_seconds(tmp_path: Path) -> None:
    clock = Clock(page=Page.create(tmp_path / "clock"))
    took = Duration.of(305.9, clock, target=440)
    assert (took.seconds, took.met, took.on_this_machine) == (None, True, "")
    assert took.to_json() == {"aws_seconds": 305.9, "target_aws_seconds": 440, "target_met": True}
    assert Duration.of(500, clock, target=440).met is False
    assert Duration.of(60, Clock(scale=60), target=30).seconds == 1
