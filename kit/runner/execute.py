"""Runs one scenario: harness, deadline, checkers, cleanup, verdict."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from ..backends.interface import Backend, Cloud
from ..core.checkers import Checker, every_fault_showed, every_operation_ended, run_checkers
from ..core.errors import InfraError
from ..core.history import History
from ..core.ids import Ids
from ..core.measurement import Duration
from ..core.verdict import Verdict, of_checks
from ..cost.account import Account
from ..harness import Harness
from ..harness.checks import Checks
from ..harness.context import Context
from ..harness.mailbox import Mailbox
from ..harness.steps import StepListener, Steps
from ..scenarios.registry import Scenario
from ..settings import Settings
from .host_load import hindrance
from .outcome import Outcome, judged


@dataclass(frozen=True)
class Ground:
    """What all scenarios of a run share."""

    backend: Backend
    cloud: Cloud
    settings: Settings
    history: History
    ids: Ids
    mailbox: Mailbox
    evidence: tuple[str, ...]
    folder: Path | None = None
    """Where evidence is kept."""
    listener: StepListener | None = None
    account: Account | None = None
    """What the run costs; None for ground that costs nothing."""
    checkers: tuple[Checker, ...] = ()
    """Of other packages: they judge every scenario."""


async def execute(scenario: Scenario, ground: Ground) -> Outcome:
    """Run a scenario to its verdict. Raises nothing of the scenario's own: whatever happens is in the outcome."""
    reason = scenario.skipped_because(ground.cloud.capabilities)
    if reason is not None:
        return Outcome(scenario.name, None, message=reason)
    async with judging(scenario.name, ground) as (harness, outcome):
        clock = ground.cloud.clock
        try:
            async with asyncio.timeout(clock.patience(ground.settings.timeouts.scenario)) as deadline:
                if ground.account:
                    ground.account.on_overrun = lambda: deadline.reschedule(asyncio.get_running_loop().time())
                try:
                    await scenario.body(harness)
                    await harness.mail.settle()
                finally:
                    if ground.account:
                        ground.account.on_overrun = None  # what is over cannot be ended
        except TimeoutError:
            if not deadline.expired():
                raise
            if ground.account:
                ground.account.check()
            outcome.verdict = Verdict.UNKNOWN
            outcome.message = f"it did not end within {ground.settings.timeouts.scenario:g} AWS s"
        for finding in run_checkers(
            ground.history.events(scenario.name), (every_operation_ended, *scenario.checkers, *ground.checkers)
        ):
            if finding.verdict is not Verdict.PASS:
                _add(outcome, finding.verdict, finding.message)
    return outcome


@asynccontextmanager
async def judging(name: str, ground: Ground) -> AsyncIterator[tuple[Harness, Outcome]]:
    """A harness for what is done inside, and the outcome it comes to; cleaned up and closed at the end.

    Exceptions are taken in and judged, but for those that end the program (cancellation, interrupt).
    """
    cloud = ground.cloud
    checks = Checks(ground.history, ground.evidence)
    steps = Steps(cloud.clock, checks, ground.listener, gate=ground.account.check if ground.account else None)
    context = Context(cloud, ground.settings, ground.history, checks, ground.ids)
    harness = Harness(context, ground.mailbox, steps)
    outcome = Outcome(name, Verdict.PASS, evidence=ground.evidence)
    started, since = cloud.clock.monotonic(), cloud.clock.now()
    async with contextlib.AsyncExitStack() as around:
        if ground.account:
            await around.enter_async_context(ground.account.scenario(name))
        around.enter_context(ground.history.scenario(name))
        try:
            try:
                yield harness, outcome
            except Exception as error:
                _add(outcome, *judged(error))
            else:
                if of_checks(checks.asserted) is not Verdict.PASS:
                    _add(outcome, Verdict.UNKNOWN, "it asserted nothing, so nothing is shown")
            await _undo_faults(harness, outcome)
            for finding in run_checkers(ground.history.events(name), (every_fault_showed,)):
                if finding.verdict is not Verdict.PASS:
                    _add(outcome, finding.verdict, finding.message)
            seconds = cloud.clock.monotonic() - started
            outcome.measured = Duration(seconds * cloud.clock.scale, seconds)
            outcome.asserted, outcome.steps, outcome.journeys = checks.asserted, steps.all, context.journeys
            outcome.previews = sorted(harness.http.previews)
            if outcome.verdict is not Verdict.PASS:
                folders = () if ground.folder is None else (ground.folder,)
                outcome.message = f"{outcome.message}\n{hindrance(cloud.clock.scale, folders)}".strip()
            if outcome.verdict is not Verdict.PASS and ground.folder is not None:
                outcome.evidence += await harness.collect_evidence(ground.folder, file_name(name), since)
            await _leave_clean(harness, outcome, ground)
        finally:
            await harness.close()


async def _undo_faults(harness: Harness, outcome: Outcome) -> None:
    """Blocks undo their own; this is for what a scenario left in a task that it did not wait for."""
    outcome.faults = harness.faults.injected
    try:
        await harness.faults.undo_all()
    except InfraError as error:
        _add(outcome, Verdict.INFRA, str(error))


def file_name(name: str) -> str:
    """A scenario's or test's name as part of a file name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)


async def _leave_clean(harness: Harness, outcome: Outcome, ground: Ground) -> None:
    broken = await ground.backend.health()
    if broken is not None:
        # What a scenario sees on a ground that is gone says nothing about the system.
        outcome.verdict, outcome.message = Verdict.INFRA, f"{broken}\n{outcome.message}".strip()
        return
    outcome.cloud_faults = await ground.backend.internal_errors()
    if outcome.cloud_faults and outcome.verdict is not Verdict.PASS:
        # The system may be innocent: the ground it stood on was not sound. What passed on it all the same has passed.
        outcome.verdict = Verdict.INFRA
        outcome.message = f"{outcome.unsound}\n{outcome.message}"
    try:
        outcome.cleaned = await harness.cleanup()
    except Exception as error:
        _add(outcome, Verdict.INFRA, f"cleaning up failed: {judged(error)[1]}")


def _add(outcome: Outcome, verdict: Verdict, message: str) -> None:
    outcome.verdict = verdict if outcome.verdict is None else outcome.verdict | verdict
    outcome.message = f"{outcome.message}\n{message}".strip()
