"""Runs each break on a separate cloud, and the same scenarios on an unbroken system as controls."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence

from ..backends.emulated import programs
from ..runner.run import Run
from ..scenarios.registry import select
from ..settings import Settings
from .breaking import load
from .detection import Detection, judge, sound

DEFAULTS = {
    "emulated": {"allowance": 8},
    "stack": {"parameters": {"IdleSeconds": "180"}},
    "timeouts": {"wake": 180, "session_expiry": 200, "idle_shutdown": 300},
}
"""Many breaks show only when a wait expires, so the allowance is short. Idle time is long: a session that expires
because the machine is slow would fail for another reason."""


async def controls(settings: Settings, scenarios: Sequence[str]) -> AsyncIterator[Detection]:
    """Run the scenarios on the unbroken system, all on one cloud."""
    run = Run(settings, folder_suffix="-control")
    await run.start()
    try:
        for scenario in select(scenarios):
            yield sound(await run.execute(scenario))
    finally:
        await run.stop()


async def check(settings: Settings, name: str) -> Detection:
    """Run a break's scenario on the system with this break."""
    broken = load(name)
    (scenario,) = select([broken.scenario])
    run = Run(_with(settings, name, broken.program), folder_suffix=f"-{name}")
    await run.start()
    try:
        return judge(name, broken, await run.execute(scenario))
    finally:
        await run.stop()


def _with(settings: Settings, name: str, program: str) -> Settings:
    """The settings with the broken program in place of the sound one."""
    argv = [sys.executable, "-m", "webordinary_testkit.kit.selftest.broken", name, "--", programs.MODULES[program]]
    changed = settings.emulated.programs | {programs.IMAGES[program]: argv}
    return settings.model_copy(update={"emulated": settings.emulated.model_copy(update={"programs": changed})})
