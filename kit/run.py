"""A run: one started cloud, any number of scenarios, one report."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from kit.audit import AuditsItself
from kit.backends.base import Backend, Cloud
from kit.backends.emulated import EmulatedBackend
from kit.clock import Clock
from kit.console import Console
from kit.cost.account import Account
from kit.cost.publishing import publish
from kit.errors import InfraError, NotSupported
from kit.harness.mail import Mailbox
from kit.history import History
from kit.ids import Ids
from kit.outcome import Outcome
from kit.report import Report, run_folder
from kit.runner import Ground, execute
from kit.scenario import Scenario
from kit.settings import Settings
from kit.verdict import Verdict


class Run:
    """Starts a cloud, runs scenarios on it, reports, and takes the cloud away. Not bound to an event loop."""

    def __init__(self, settings: Settings, console: Console | None = None, *, folder_suffix: str = "") -> None:
        """Refuses a mode that is not there before anything is made. Raises `NotSupported`."""
        refuse_absent_mode(settings)
        self.settings = settings
        self.console = console
        self.ids = Ids.seeded(settings.test_data.seed)
        self._wall = Clock()
        started = self._wall.wall()
        self.id = self.ids.run_id(started) + folder_suffix
        self.folder = run_folder(settings.report_dir, self.id)
        self.history = History(self._wall, self.folder / "history.jsonl")
        self.report = Report(self.folder, self.id, self._about(), started)
        self.backend: Backend = EmulatedBackend(settings, self.folder, self.history)
        self.account = Account(settings, self.history)
        self.cloud: Cloud | None = None
        self._mailbox = Mailbox()

    async def start(self) -> Cloud:
        """Bring up the cloud with the stack deployed; see `Backend.start`."""
        if self.console:
            self.console.run_started(self.id, self.settings)
        before = self._wall.monotonic()
        try:
            self.cloud = await self.backend.start()
            await self.account.open(self.cloud)
        except BaseException as error:
            if isinstance(error, InfraError):
                self.report.outcomes.append(Outcome("(start)", Verdict.INFRA, message=str(error)))
                self.report.write(self._wall.wall())
            self.history.close()
            raise
        seconds = self._wall.monotonic() - before
        self.report.about["cloud_ready_seconds"] = round(seconds, 3)
        if self.console:
            self.console.cloud_ready(seconds)
        return self.cloud

    async def execute(self, scenario: Scenario) -> Outcome:
        """Run one scenario and add it to the report."""
        if self.account.overrun:
            outcome = Outcome(scenario.name, None, message=f"{self.account.overrun}: the rest is not tried")
            self.add(outcome)
            return outcome
        if self.console:
            self.console.scenario_started(scenario.name, scenario.proves)
        outcome = await execute(scenario, self.ground())
        self.add(outcome)
        return outcome

    async def execute_all(self, scenarios: Iterable[Scenario]) -> Verdict:
        """Run scenarios one after the other; on a ground that is gone, the rest is not tried."""
        for scenario in scenarios:
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

    def ground(self) -> Ground:
        """What scenarios stand on. Raises RuntimeError before `start`."""
        if self.cloud is None:
            raise RuntimeError("the run was not started")
        evidence = (str(self.folder / "history.jsonl"), *self.cloud.evidence)
        return Ground(
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
        )

    async def stop(self) -> None:
        """Take the cloud away and write the report for the last time."""
        await self._settle_account()
        await self.backend.stop()
        self.history.close()
        if isinstance(self.backend, AuditsItself):
            self.report.about["left_behind"] = list(self.backend.left_behind)
        if self.report.outcomes:
            path = self.report.write(self._wall.wall())
            if self.console:
                self.console.run_ended(self.report, path)

    async def _settle_account(self) -> None:
        """What it came to, and the results where they are published; before the cloud is taken away."""
        if self.cloud is None or await self.backend.health() is not None:
            return
        task = asyncio.current_task()
        await self.account.close(settle=bool(self.report.outcomes) and not (task and task.cancelling()))
        self.report.cost = self.account.to_json()
        wanted = self.settings.cost.publish
        if self.report.outcomes and (wanted == "always" or (wanted == "live" and self.settings.mode == "live")):
            await publish(self.cloud, self.report.to_json(self._wall.wall()), self.history)

    def _about(self) -> dict[str, object]:
        about: dict[str, object] = {
            "mode": self.settings.mode,
            "region": self.settings.region,
            "account": self.settings.account,
            "stack": self.settings.stack.name,
        }
        if self.settings.profile:
            about["profile"] = self.settings.profile
        return about | ({"scale": self.settings.emulated.scale} if self.settings.mode == "emulated" else {"scale": 1})


def refuse_absent_mode(settings: Settings) -> None:
    """Raises `NotSupported` for a mode whose backend is not there yet."""
    if settings.mode == "live":
        raise NotSupported(
            "the live backend is not there yet: nothing was started and no AWS account was touched",
            next='run the same scenarios against the emulated cloud: mode = "emulated", or nox -s emulated',
        )
