"""A run: one cloud, any number of scenarios, one report."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from ..audit import SelfAudit
from ..backends.emulated.base_state import lines
from ..backends.interface import Backend, Cloud
from ..backends.registry import registered_backend
from ..core.clock import Clock
from ..core.errors import InfraError, KitError
from ..core.extensions import objects
from ..core.history import History
from ..core.ids import Ids
from ..core.verdict import Verdict
from ..cost.publishing import publish, publishes
from ..cost.summary import prediction_line
from ..cost.tracker import CostTracker
from ..faults import register as register_faults
from ..harness.mailbox import Mailbox
from ..scenarios.registry import Scenario
from ..settings import Settings
from .console import Console
from .execute import RunContext, execute
from .outcome import Outcome
from .report import Report, run_folder

CLEAN_UP = "(clean-up)"
"""The name of the outcome for a failed clean-up; there is none otherwise."""


class Run:
    """Starts a cloud, runs scenarios on it, reports, and removes the cloud. Not bound to an event loop."""

    def __init__(self, settings: Settings, console: Console | None = None, *, folder_suffix: str = "") -> None:
        """Prepare a run; nothing is started and no account is used before `start`."""
        self.settings = settings
        self.console = console
        self.ids = Ids(settings.test_data.seed)
        self._wall = Clock()
        started = self._wall.wall()
        self.id = self.ids.run_id(started) + folder_suffix
        self.folder = run_folder(settings.report_dir, self.id)
        self.history = History(self._wall, self.folder / "history.jsonl")
        self.report = Report(self.folder, self.id, self._about(), started)
        self.backend: Backend = self._chosen_backend()
        self._checkers = tuple(objects("checkers", settings.checkers).values())
        register_faults(settings.faults)
        self.account = CostTracker(settings, self.history)
        self.cloud: Cloud | None = None
        self._mailbox = Mailbox()

    def announce_skipped(self, scenarios: Iterable[Scenario]) -> None:
        """Print the scenarios that this cloud will skip, and why; starts nothing."""
        able = self.backend.capabilities()
        for scenario in scenarios:
            reason = scenario.skipped_because(able)
            if reason is not None and self.console:
                self.console.progress(f"will be skipped: {scenario.name}, {reason}")

    async def start(self) -> Cloud:
        """Bring up the cloud with the stack deployed; see `Backend.start`."""
        if self.console:
            self.console.run_started(self.id, self.settings)
        before = self._wall.monotonic()
        try:
            self.cloud = await self.backend.start()
            await self.account.open(self.cloud)
        except BaseException as error:
            await self.backend.stop()
            if isinstance(error, InfraError):
                self.report.outcomes.append(Outcome("(start)", Verdict.INFRA, message=str(error)))
                self.report.write(self._wall.wall())
            self.history.close()
            raise
        seconds = self._wall.monotonic() - before
        self.report.about["cloud_ready_seconds"] = round(seconds, 3)
        if self.cloud.base:
            self.report.about["base"] = dict(self.cloud.base)
        if self.console:
            self.console.cloud_ready(seconds)
            for line in lines(self.cloud.base):
                self.console.progress(line)
        return self.cloud

    async def execute(self, scenario: Scenario) -> Outcome:
        """Run one scenario and add it to the report."""
        if self.account.overrun:
            outcome = Outcome(scenario.name, None, message=f"{self.account.overrun}: the rest is not tried")
            self.add(outcome)
            return outcome
        if self.console:
            self.console.scenario_started(scenario.name, scenario.proves)
        outcome = await execute(scenario, self.context())
        self.add(outcome)
        return outcome

    async def execute_all(self, scenarios: Iterable[Scenario]) -> Verdict:
        """Run scenarios one after the other; stops when the cloud is broken."""
        chosen = tuple(scenarios)
        if self.console and self.cloud is not None:
            names = [one.name for one in chosen if one.skipped_because(self.cloud.capabilities) is None]
            self.console.progress(prediction_line(self.settings, self.account.predict(names).to_json()))
        for scenario in chosen:
            outcome = await self.execute(scenario)
            if outcome.verdict is Verdict.INFRA and await self.backend.health() is not None:
                break
        return self.report.verdict

    def add(self, outcome: Outcome) -> None:
        """Add an outcome to the report and write it."""
        self.report.outcomes.append(outcome)
        self.report.write(self._wall.wall())
        if self.console:
            self.console.scenario_ended(outcome)

    def context(self) -> RunContext:
        """The context for the run's scenarios. Raises RuntimeError before `start`."""
        if self.cloud is None:
            raise RuntimeError("the run was not started")
        evidence = (str(self.folder / "history.jsonl"), *self.cloud.evidence)
        return RunContext(
            self.backend,
            self.cloud,
            self.settings,
            self.history,
            self.ids,
            self._mailbox,
            evidence,
            self.folder,
            self.console,
            self.account,
            self._checkers,
        )

    async def stop(self) -> None:
        """Remove the cloud and write the report for the last time."""
        try:
            await self._settle_account()
        finally:
            await self._stop_backend()
        self.history.close()
        if isinstance(self.backend, SelfAudit):
            self.report.about["left_behind"] = list(self.backend.left_behind)
        if self.report.outcomes:
            path = self.report.write(self._wall.wall())
            if self.console:
                self.console.run_ended(self.report, path)

    async def _stop_backend(self) -> None:
        """Stop the backend; a failure is an outcome of the run."""
        failed = self.report.verdict is not Verdict.PASS
        try:
            if failed and self.settings.live.keep_on_failure and self.settings.mode == "live":
                await self.backend.stop(keep=True)
            else:
                await self.backend.stop()
        except Exception as error:
            message = str(error) if isinstance(error, KitError) else f"{type(error).__name__}: {error}"
            self.add(Outcome(CLEAN_UP, Verdict.INFRA, message=message))

    def _chosen_backend(self) -> Backend:
        if self.settings.backend:
            return registered_backend(self.settings, self.folder, self.history)
        if self.settings.mode == "live":
            from ..backends.live.backend import LiveBackend  # noqa: PLC0415 - emulated runs need none of it

            tell = self.console.progress if self.console else None
            return LiveBackend(self.settings, self.folder, self.history, run=self.id, tell=tell)
        if self.settings.emulated.endpoint:
            from ..backends.emulated.attached import AttachedBackend  # noqa: PLC0415 - live runs need none of it

            return AttachedBackend(self.settings, self.history)
        from ..backends.emulated.backend import EmulatedBackend  # noqa: PLC0415 - live runs need none of it

        return EmulatedBackend(self.settings, self.folder, self.history)

    async def _settle_account(self) -> None:
        """Close the account and publish the results, before the cloud is removed."""
        if self.cloud is None or await self.backend.health() is not None:
            return
        task = asyncio.current_task()
        await self.account.close(settle=bool(self.report.outcomes) and not (task and task.cancelling()))
        self._report_now()
        if self.report.outcomes and publishes(self.settings):
            await publish(self.cloud, self.history, self._report_now)

    def _report_now(self) -> dict[str, Any]:
        self.report.cost = self.account.to_json()
        return self.report.to_json(self._wall.wall())

    def _about(self) -> dict[str, object]:
        about: dict[str, object] = {
            "mode": self.settings.mode,
            "region": self.settings.region,
            "account": self.settings.account,
            "stack": self.settings.stack.name,
        }
        if self.settings.profile:
            about["profile"] = self.settings.profile
        emulated = self.settings.mode == "emulated"
        return about | {"scale": self.settings.emulated.scale if emulated else self.settings.live.clock.scale}
