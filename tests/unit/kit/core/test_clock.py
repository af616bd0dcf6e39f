"""Two times, one clock."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.kit import START, ManualClock
from webordinary_testkit.kit.core.clock import Clock, epoch, iso


@given(st.floats(0.01, 1000), st.floats(-1e6, 1e6))
def test_the_two_times_convert_into_each_other(scale: float, offset: float) -> None:
    clock = Clock(scale=scale, origin=START)
    assert clock.to_wall(START + offset * scale) == pytest.approx(START + offset, abs=1e-3)


async def test_at_scale_60_a_minute_passes_in_a_second() -> None:
    clock = ManualClock(scale=60)
    await clock.sleep(60)
    assert clock.now() == START + 60
    assert clock.wall() == START + 1


def test_at_scale_1_aws_time_is_the_wall_clock() -> None:
    assert Clock().now() == pytest.approx(time.time(), abs=0.5)


def test_the_allowance_holds_only_while_the_clock_runs_fast() -> None:
    assert Clock(scale=60, allowance=20).patience(60) == 60 + 20 * 60
    assert Clock(scale=1, allowance=20).patience(60) == 60


@pytest.mark.parametrize("scale", [0, -1])
def test_a_clock_that_stands_still_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        Clock(scale=scale)


def test_iso_times_are_read_with_and_without_an_offset() -> None:
    assert epoch("2027-01-15T08:00:00.000Z") == epoch("2027-01-15T08:00:00") == epoch("2027-01-15T09:00:00+01:00")
    assert iso(START) == "2027-01-15T08:00:00.000Z"
