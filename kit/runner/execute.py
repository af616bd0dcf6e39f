"""Runs one scenario: harness, deadline, checkers, clean-up, verdict."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from ..backends.interface import Backend, Cloud
from ..core.checkers import Checker, every_fault_showed, every_operation_ended, run_checkers
from ..core.errors import InfraError
from ..core.history import History, by_chance
from ..core.ids import Ids
from ..core.measurement import Duration
from ..core.verdict import Verdict, of_checks
from ..cost.tracker import CostTracker
from ..harness import Harness
from ..harness.checks import Checks
from ..harness.context import Context
from ..harness.mailbox import Mailbox
from ..harness.steps import StepListener, Steps
from ..scenarios.registry import Scenario
from ..settings import Settings
from . import host_load
from .outcome import Outcome, verdict_of


@dataclass(frozen=True)
class RunContext:
    """The parts of a run that its scenarios share."""

    backend: Backend
    cloud: Cloud
    settings: Settings
    history: History
    ids: Ids
    mailbox: Mailbox
    evidence: tuple[str, ...]
    folder: Path | None = None
    """The folder for evidence."""
    listener: StepListener | None = None
    account: CostTracker | None = None
    """The run's costs; None when they are not recorded."""
    checkers: tuple[Checker, ...] = ()
    """Checkers of other packages, for every scenario."""


async def execute(scenario: Scenario, run: RunContext) -> Outcome:
    """Run a scenario to its verdict. The scenario's exceptions end up in the outcome and are not raised."""
    reason = scenario.skipped_because(run.cloud.capabilities)
    if reason is not None:
        return Outcome(scenario.name, None, message=reason)
    async with judge(scenario.name, run) as (harness, outcome):
        clock = run.cloud.clock
        try:
            async with clock.timeout(clock.patience(run.settings.timeouts.scenario)) as deadline:
                if run.account:
                    run.account.on_overrun = lambda: deadline.reschedule(0)
                try:
                    await scenario.body(harness)
                    await harness.mail.settle()
                finally:
                    if run.account:
                        run.account.on_overrun = None  # the deadline is gone
        except TimeoutError:
            if not deadline.expired():
                raise
            if run.account:
                run.account.check()
            outcome.verdict = Verdict.UNKNOWN
            outcome.message = f"it did not end within {run.settings.timeouts.scenario:g} AWS s"
        for finding in run_checkers(
            run.history.events(scenario.name), (every_operation_ended, *scenario.checkers, *run.checkers)
        ):
            if finding.verdict is not Verdict.PASS:
                _add(outcome, finding.verdict, finding.message)
    return outcome


@asynccontextmanager
async def judge(name: str, run: RunContext) -> AsyncIterator[tuple[Harness, Outcome]]:
    """A harness for the block, and the outcome of the block; cleans up and closes the harness at its end.

    Exceptions of the block become its verdict, except those that end the program (cancellation, interrupt).
    """
    cloud = run.cloud
    checks = Checks(run.history, run.evidence)
    steps = Steps(cloud.clock, checks, run.listener, gate=run.account.check if run.account else None)
    context = Context(cloud, run.settings, run.history, checks, run.ids)
    harness = Harness(context, run.mailbox, steps)
    outcome = Outcome(name, Verdict.PASS, evidence=run.evidence)
    began = cloud.clock.moment()
    async with contextlib.AsyncExitStack() as around:
        if run.account:
            await around.enter_async_context(run.account.scenario(name))
        around.enter_context(run.history.scenario(name))
        try:
            try:
                yield harness, outcome
            except Exception as error:
                _add(outcome, *verdict_of(error))
            else:
                if of_checks(checks.asserted) is not Verdict.PASS:
                    _add(outcome, Verdict.UNKNOWN, "it asserted nothing, so nothing is shown")
            await _undo_faults(harness, outcome)
            for finding in run_checkers(run.history.events(name), (every_fault_showed,)):
                if finding.verdict is not Verdict.PASS:
                    _add(outcome, finding.verdict, finding.message)
            outcome.measured = Duration.since(began, cloud.clock)
            outcome.asserted, outcome.steps, outcome.journeys = checks.asserted, steps.all, context.journeys
            outcome.previews = sorted(harness.http.previews)
            if outcome.verdict is not Verdict.PASS:
                folders = () if run.folder is None else (run.folder,)
                outcome.message = f"{outcome.message}\n{host_load.explain(cloud.clock.scale, folders)}".strip()
            if outcome.verdict is not Verdict.PASS and run.folder is not None:
                outcome.evidence += await harness.collect_evidence(run.folder, file_name(name), began.aws)
            await _leave_clean(harness, outcome, run)
        finally:
            await harness.close()


async def _undo_faults(harness: Harness, outcome: Outcome) -> None:
    """Undo faults that are still injected, such as those of a task that the scenario did not await."""
    outcome.faults = harness.faults.injected
    try:
        await harness.faults.undo_all()
    except InfraError as error:
        _add(outcome, Verdict.INFRA, str(error))


def file_name(name: str) -> str:
    """A scenario's or test's name as part of a file name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)


async def _leave_clean(harness: Harness, outcome: Outcome, run: RunContext) -> None:
    broken = await run.backend.health()
    if broken is not None:
        # A scenario on a broken cloud says nothing about the system.
        outcome.verdict, outcome.message = Verdict.INFRA, f"{broken}\n{outcome.message}".strip()
        return
    outcome.cloud_faults = await run.backend.internal_errors()
    if outcome.cloud_faults and outcome.verdict is not Verdict.PASS:
        # The cloud's internal errors may be the cause. A scenario that passed despite them has passed.
        outcome.verdict = Verdict.INFRA
        outcome.message = f"{outcome.unsound}\n{outcome.message}"
    try:
        with by_chance():
            outcome.cleaned = await harness.cleanup()
    except Exception as error:
        _add(outcome, Verdict.INFRA, f"cleaning up failed: {verdict_of(error)[1]}")


def _add(outcome: Outcome, verdict: Verdict, message: str) -> None:
    outcome.verdict = verdict if outcome.verdict is None else outcome.verdict | verdict
    outcome.message = f"{outcome.message}\n{message}".strip()
