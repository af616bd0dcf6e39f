"""The same scenarios through the live backend: on AWS with `--kit-mode live`, on a stand-in with `--rehearse`."""

from __future__ import annotations

import pytest

from tests.integration.test_scenarios import test_scenario as run_scenario
from webordinary_testkit.kit.runner.run import Run
from webordinary_testkit.kit.scenarios.registry import Scenario, select


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A rehearsal costs nothing, so it leaves out none."""
    scenarios = select(["all"] if metafunc.config.getoption("rehearse") else [])
    metafunc.parametrize("scenario", scenarios, ids=[one.name for one in scenarios])


async def test_live_scenario(scenario: Scenario, kit_run: Run) -> None:
    await run_scenario(scenario, kit_run)
