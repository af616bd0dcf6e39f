"""Phases: observed once, reported in both times."""

from __future__ import annotations

from pathlib import Path

from tests.support.kit import START, ManualClock
from webordinary_testkit.awsclock.page import Page
from webordinary_testkit.kit.core.clock import Clock
from webordinary_testkit.kit.harness.phases import CHANGE_VISIBLE, MAIL_ACCEPTED, TASK_RUNNING, Timeline
from webordinary_testkit.kit.runner.console import phases


async def test_phases_are_reported_in_chronological_order_and_in_both_times() -> None:
    clock = ManualClock(scale=60)
    timeline = Timeline(clock, entry="mail")
    await clock.sleep(120)
    timeline.mark(CHANGE_VISIBLE, "GET")
    timeline.mark(TASK_RUNNING, "startedAt", at=START + 60)
    phases = timeline.to_json()
    assert [(phase["name"], phase["aws_seconds"], phase["seconds"]) for phase in phases] == [
        (TASK_RUNNING, 60, 1),
        (CHANGE_VISIBLE, 120, 2),
    ]
    assert phases[0]["entry"] == "mail"
    assert phases[0]["at"] == "2027-01-15T08:01:00.000Z"
    assert phases[0]["wall_at"] == "2027-01-15T08:00:01.000Z"


def test_the_first_observation_counts() -> None:
    timeline = Timeline(ManualClock())
    timeline.mark(MAIL_ACCEPTED, "SMTP 250", at=START + 1)
    timeline.mark(MAIL_ACCEPTED, "SMTP 250", at=START + 9)
    assert timeline.at(MAIL_ACCEPTED) == START + 1


def test_a_phase_that_was_not_reached_has_no_time() -> None:
    assert Timeline(ManualClock()).at(CHANGE_VISIBLE) is None


def test_on_a_clock_that_jumps_phases_have_aws_times_only_and_can_be_shown(tmp_path: Path) -> None:
    journey = Timeline(Clock(page=Page.create(tmp_path / "clock")))
    journey.mark(TASK_RUNNING, "ECS", at=journey.started + 40)
    (phase,) = journey.to_json()
    assert (phase["aws_seconds"], "seconds" in phase, "wall_at" in phase) == (40, False, False)
    table = phases({"scenarios": [{"name": "cold_start", "phases": [phase]}]})
    assert list(table.columns[2].cells) == [""]
    assert list(table.columns[3].cells) == ["40.0"]
