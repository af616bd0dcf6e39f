"""Runs each break on a separate cloud, and the same scenarios on an unbroken system as controls."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from ..backends.emulated import programs
from ..mixes.exploration import explore
from ..mixes.explore import Budget
from ..mixes.strategies import Space
from ..runner.run import Run
from ..scenarios.registry import select
from ..settings import Settings
from .breaking import MIXES, load
from .detection import Detection, judge, sound

DEFAULTS = {
    "stack": {"parameters": {"IdleSeconds": "180"}},
    "timeouts": {"wake": 180, "session_expiry": 200, "idle_shutdown": 300},
}
"""Idle time is long: a session that expires because the machine is slow would fail for another reason."""


EXPLORED = Budget(examples=2000, seconds=300)
"""In which an exploration must find a break."""
SOUND = Budget(examples=20, seconds=60)
"""What an exploration of the unbroken system takes as a control."""
SPACE = Space(strands=3, actions=4)


async def controls(settings: Settings, scenarios: Sequence[str]) -> AsyncIterator[Detection]:
    """Run the scenarios on the unbroken system, all on one cloud."""
    run = Run(settings, folder_suffix="-control")
    await run.start()
    try:
        for scenario in select([name for name in scenarios if name != MIXES]) if set(scenarios) - {MIXES} else []:
            yield sound(await run.execute(scenario))
        if MIXES in scenarios:
            await explore(run, SPACE, SOUND, seed=0)
            yield sound(run.report.outcomes[-1])
    finally:
        await run.stop()


async def check(settings: Settings, name: str, *, mixes: bool = False) -> Detection:
    """Run a break's scenario, or an exploration of mixes, on the system with this break."""
    broken = load(name)
    if mixes and broken.scenario != MIXES:
        broken = replace(broken, scenario=MIXES, says=broken.by_mixes, step="")
    run = Run(_with(settings, name, broken.program), folder_suffix=f"-{name}")
    await run.start()
    try:
        if broken.scenario == MIXES:
            await explore(run, SPACE, EXPLORED, seed=0)
            return judge(name, broken, run.report.outcomes[-1])
        (scenario,) = select([broken.scenario])
        return judge(name, broken, await run.execute(scenario))
    finally:
        await run.stop()


def _with(settings: Settings, name: str, program: str) -> Settings:
    """The settings with the broken program in place of the sound one."""
    argv = [sys.executable, "-m", "webordinary_testkit.kit.selftest.broken", name, "--", programs.MODULES[program]]
    changed = settings.emulated.programs | {programs.IMAGES[program]: argv}
    return settings.model_copy(update={"emulated": settings.emulated.model_copy(update={"programs": changed})})
