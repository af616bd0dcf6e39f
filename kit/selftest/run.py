"""Runs breaks, each on a cloud of its own, and the same scenarios on a system that is not broken."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence

from ..runner.run import Run
from ..scenarios.registry import select
from ..settings import Settings
from .breaking import PROGRAMS, load
from .finding import Finding, judged, sound

IMAGES = {"hermes": "webordinary/hermes:test", "edit": "webordinary/edit:test"}

DEFAULTS = {
    "emulated": {"allowance": 8},
    "stack": {"parameters": {"IdleSeconds": "180"}},
    "timeouts": {"wake": 180, "session_expiry": 200, "idle_shutdown": 300},
}
"""A break is often noticed by what does not come, and then the whole budget is waited for: little is allowed on top.
But a session that expires because the machine is slow would be red for another reason, so idle time is long."""


async def controls(settings: Settings, scenarios: Sequence[str]) -> AsyncIterator[Finding]:
    """Run the scenarios on the system as it is, all on one cloud."""
    run = Run(settings, folder_suffix="-control")
    await run.start()
    try:
        for scenario in select(scenarios):
            yield sound(await run.execute(scenario))
    finally:
        await run.stop()


async def check(settings: Settings, name: str) -> Finding:
    """Run a break's scenario on the system that it broke."""
    broken = load(name)
    (scenario,) = select([broken.scenario])
    run = Run(_with(settings, name, broken.program), folder_suffix=f"-{name}")
    await run.start()
    try:
        return judged(name, broken, await run.execute(scenario))
    finally:
        await run.stop()


def _with(settings: Settings, name: str, program: str) -> Settings:
    """These settings, with the broken program in the place of the whole one."""
    argv = [sys.executable, "-m", "webordinary_testkit.kit.selftest.broken", name, "--", PROGRAMS[program]]
    programs = settings.emulated.programs | {IMAGES[program]: argv}
    return settings.model_copy(update={"emulated": settings.emulated.model_copy(update={"programs": programs})})
