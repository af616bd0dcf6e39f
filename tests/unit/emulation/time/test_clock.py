"""The clock of the emulated cloud."""

from __future__ import annotations

from webordinary_testkit.emulation.time.clock import Clock


def test_patience_with_a_program_is_counted_in_wall_seconds_when_the_clock_runs_fast() -> None:
    assert Clock(scale=60).patience(10, least=1) == 60
    assert Clock(scale=60).patience(300, least=1) == 300


def test_in_real_time_patience_is_awss_own() -> None:
    assert Clock(scale=1).patience(10, least=60) == 10
