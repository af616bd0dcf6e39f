"""A mix has the same verdict on an emulated cloud and on the live backend."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from webordinary_testkit.awsclock.loop import run as run_loop
from webordinary_testkit.kit.backends.emulated import programs
from webordinary_testkit.kit.backends.emulated.rehearsal import Rehearsal, aimed
from webordinary_testkit.kit.core.verdict import Verdict
from webordinary_testkit.kit.mixes import Action, Mix, Person, Strand
from webordinary_testkit.kit.mixes.performance import Judgement, Stage
from webordinary_testkit.kit.mixes.webordinary import Webordinary
from webordinary_testkit.kit.runner.run import Run
from webordinary_testkit.kit.settings import Settings, load

AGAIN = Mix((Person("acme", "john"),), (Strand(0, (Action("mail"), Action("again"))),))
BREAK = "redelivery_answered_again"


def broken() -> dict[str, list[str]]:
    argv = [sys.executable, "-m", "webordinary_testkit.kit.selftest.broken", BREAK, "--", programs.MODULES["hermes"]]
    return {programs.IMAGES["hermes"]: argv}


async def performed(settings: Settings) -> Judgement:
    run = Run(settings)
    await run.start()
    try:
        return await Stage(run.context(), Webordinary()).perform(AGAIN)
    finally:
        await run.stop()


def on_emulated(folder: Path, programs: dict[str, list[str]]) -> Judgement:
    settings = load({"report_dir": str(folder), "emulated": {"programs": programs}}, environ={}, file=None)
    return run_loop(performed(settings))


def on_live(folder: Path, programs: dict[str, list[str]]) -> Judgement:
    settings = load({"emulated": {"scale": 60, "programs": programs}}, environ={}, file=None)
    stand_in = Rehearsal(settings, folder / "stand-in")
    account = asyncio.run(stand_in.start())
    try:
        with aimed(account):
            return run_loop(performed(load({"mode": "live", "report_dir": str(folder)})))
    finally:
        stand_in.stop()


@pytest.mark.parametrize("is_broken", [False, True], ids=["sound", "broken"])
def test_a_mix_has_the_same_verdict_emulated_and_live(tmp_path: Path, is_broken: bool) -> None:
    replaced = broken() if is_broken else {}
    emulated, live = on_emulated(tmp_path / "emulated", replaced), on_live(tmp_path / "live", replaced)
    assert emulated.verdict is live.verdict is (Verdict.FAIL if is_broken else Verdict.PASS), live.text()
    assert [name for name, _ in emulated.findings] == [name for name, _ in live.findings]
    assert not is_broken or "exactly_once" in [name for name, _ in live.findings]
