"""The same scenarios through the live backend: on AWS with `--kit-mode live`, on a stand-in with `--rehearse`."""

from __future__ import annotations

import pytest

from kit.run import Run
from kit.scenario import Scenario, chosen
from tests.integration.test_scenarios import test_scenario as run_scenario


@pytest.mark.parametrize("scenario", chosen([]), ids=lambda scenario: scenario.name)
async def test_live_scenario(scenario: Scenario, kit_run: Run) -> None:
    await run_scenario(scenario, kit_run)
