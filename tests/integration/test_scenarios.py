"""Every scenario of the kit, each one test, on one cloud for all of them."""

from __future__ import annotations

import pytest

from webordinary_testkit.kit.core.verdict import Verdict
from webordinary_testkit.kit.runner.run import Run
from webordinary_testkit.kit.scenarios.registry import Scenario, select


@pytest.mark.parametrize("scenario", select([]), ids=lambda scenario: scenario.name)
async def test_scenario(scenario: Scenario, kit_run: Run) -> None:
    __tracebackhide__ = True
    outcome = await kit_run.execute(scenario)
    if outcome.verdict is None:
        pytest.skip(outcome.message)
    if outcome.verdict is not Verdict.PASS:
        pytest.fail(f"{scenario.name}: {outcome.verdict}\n{outcome.message}", pytrace=False)
