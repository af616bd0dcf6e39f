"""Targets on a fast clock: decided only where they can be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

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
