"""Session mixes through the live backend, within the run's budget: the kept ones, then some that are drawn anew."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.support import REPOSITORY
from webordinary_testkit.kit.core.verdict import Verdict
from webordinary_testkit.kit.mixes import Space
from webordinary_testkit.kit.mixes.exploration import explore, replay
from webordinary_testkit.kit.mixes.explore import Budget
from webordinary_testkit.kit.mixes.kept import read
from webordinary_testkit.kit.runner.run import Run

KEPT = sorted((REPOSITORY / "tests" / "mixes").glob("*.json"))


@pytest.fixture(autouse=True)
def number(request: pytest.FixtureRequest) -> int:
    """How many mixes to draw; without the option nothing is spent on any."""
    asked: int | None = request.config.getoption("--kit-mixes")
    if asked is None:
        pytest.skip("no mixes were asked for: nox -s live -- --mixes 5")
    return asked


@pytest.mark.parametrize("file", KEPT, ids=lambda file: file.stem)
async def test_a_kept_mix_passes(file: Path, kit_run: Run) -> None:
    judgements, _ = await replay(kit_run, read(file), times=1)
    assert judgements[0].verdict is Verdict.PASS, judgements[0].text()


async def test_new_mixes_pass(kit_run: Run, number: int) -> None:
    space = Space(strands=2, actions=3)
    explored = await explore(kit_run, space, Budget(examples=number), random.SystemRandom().randrange(2**32))
    assert explored.failure is None, kit_run.report.outcomes[-1].message
