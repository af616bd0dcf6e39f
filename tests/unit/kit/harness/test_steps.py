"""Steps: a target that was certainly missed fails; what a fast clock cannot tell does not."""

from __future__ import annotations

import pytest

from tests.support.kit import ManualClock
from webordinary_testkit.kit.core.errors import CheckFailed
from webordinary_testkit.kit.core.history import History
from webordinary_testkit.kit.harness.checks import Checks
from webordinary_testkit.kit.harness.steps import Steps


def steps(scale: float = 60) -> Steps:
    clock = ManualClock(scale=scale)
    return Steps(clock, Checks(History(clock), ("the/history.jsonl",)))


async def test_a_step_that_took_longer_than_its_target_by_any_clock_fails_and_says_which_and_by_how_much() -> None:
    one = steps()
    with pytest.raises(CheckFailed) as failed, one.step("4 a container comes up", target=60):
        await one.clock.sleep_wall(75)
    assert str(failed.value).splitlines() == [
        "expected: step '4 a container comes up' within 60 AWS s",
        "seen: 4500.0 AWS s = 75.0 s on this machine, all else held",
        "evidence: the/history.jsonl",
        "next: see which phase took so long: kit report; the target is a budget of the settings, [timeouts]",
    ]
    (step,) = one.all
    assert (step.held, step.asserted, step.to_json()["target_met"]) == (False, 1, False)


@pytest.mark.parametrize(("wall", "scale", "met"), [(0.5, 60, True), (2, 60, None), (59, 1, True)])
async def test_a_target_that_is_met_or_undecidable_does_not_fail_a_step(
    wall: float, scale: float, met: bool | None
) -> None:
    one = steps(scale)
    with one.step("quick", target=60):
        await one.clock.sleep_wall(wall)
    (step,) = one.all
    assert (step.held, step.asserted, step.to_json()["target_met"]) == (True, 0, met)


async def test_a_failed_check_is_reported_and_not_the_missed_target_as_well() -> None:
    one = steps()
    with pytest.raises(KeyError, match="other"), one.step("slow", target=60):
        await one.clock.sleep_wall(75)
        raise KeyError("other")
    assert [(step.held, step.asserted) for step in one.all] == [(False, 0)]


async def test_a_step_without_a_target_takes_as_long_as_it_takes() -> None:
    one = steps()
    with one.step("slow"):
        await one.clock.sleep_wall(7500)
    assert one.all[0].held
