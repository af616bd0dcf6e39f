"""A Hermes that answers an activation late, with `active`, is as good as one that answers at once: both exist."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.kit import some_settings
from webordinary_testkit.kit.backends.emulated.programs import IMAGES
from webordinary_testkit.kit.core.verdict import Verdict
from webordinary_testkit.kit.runner.run import Run
from webordinary_testkit.kit.scenarios.registry import select


@pytest.mark.parametrize(
    ("name", "scale"),
    [("contract", 60), ("readiness", 20)],
    ids=["contract, given up by the load balancer", "readiness, slowly enough for the first answer to come"],
)
async def test_a_late_answer_passes_too(name: str, scale: float, tmp_path: Path) -> None:
    late = {IMAGES["hermes"]: [sys.executable, "-m", "tests.support.late_hermes"]}
    run = Run(some_settings(report_dir=tmp_path, emulated={"programs": late, "scale": scale}))
    await run.start()
    try:
        (scenario,) = select([name])
        outcome = await run.execute(scenario)
    finally:
        await run.stop()
    assert outcome.verdict is Verdict.PASS, outcome.message
