"""The same scenarios on real AWS: run with `--kit-mode live`, as `nox -s live` does."""

from __future__ import annotations

import pytest

from kit.run import Run
from kit.scenario import Scenario, all_scenarios
from kit.settings import Settings
from tests.integration.test_scenarios import test_scenario as run_scenario


@pytest.fixture(autouse=True, scope="session")
def only_live(kit_settings: Settings) -> None:
    if kit_settings.mode != "live":
        pytest.exit("tests/live runs on real AWS only: pytest tests/live --kit-mode live", returncode=2)


@pytest.mark.parametrize("scenario", all_scenarios(), ids=lambda scenario: scenario.name)
async def test_live_scenario(scenario: Scenario, kit_run: Run) -> None:
    await run_scenario(scenario, kit_run)
