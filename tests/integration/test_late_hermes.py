"""A Hermes that answers an activation late, with `active`, is as good as one that answers at once: both exist."""

from __future__ import annotations

import sys

import pytest

from kit.run import Run
from kit.scenario import chosen
from kit.selftest.run import IMAGES
from kit.settings import Settings
from kit.verdict import Verdict


@pytest.mark.parametrize(
    ("name", "scale"),
    [("contract", 60), ("readiness", 20)],
    ids=["contract, given up by the load balancer", "readiness, slowly enough for the first answer to come"],
)
async def test_a_late_answer_passes_too(name: str, scale: float, kit_settings: Settings) -> None:
    emulated = kit_settings.emulated
    if kit_settings.mode != "emulated" or emulated.endpoint or emulated.runtime != "process":
        pytest.skip("its program runs in the place of the image: as a process of an emulated cloud")
    late = {IMAGES["hermes"]: [sys.executable, "-m", "tests.support.late_hermes"]}
    programs = {"programs": emulated.programs | late, "scale": scale}
    run = Run(
        kit_settings.model_copy(update={"emulated": emulated.model_copy(update=programs)}),
        folder_suffix=f"-late-{name}",
    )
    await run.start()
    try:
        (scenario,) = chosen([name])
        outcome = await run.execute(scenario)
    finally:
        await run.stop()
    assert outcome.verdict is Verdict.PASS, outcome.message
