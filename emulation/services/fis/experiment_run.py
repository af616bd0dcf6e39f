"""Runs an experiment.

pending -> initiating (role, targets) -> running (actions, in their order) -> completed | failed
                                            \\-> stopping -> stopped        by StopExperiment or a stop condition
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from ...core.controller import Context
from ...core.errors import AwsError
from . import role
from .actions import KINDS, Job, Network
from .model import Action, ActionFailed, Experiment, ExperimentFailed
from .targets import resolve

PENDING_SECONDS, INITIATING_SECONDS, STOPPING_SECONDS = 2.0, 3.0, 2.0
"""AWS seconds in these states; AWS takes about as long."""
ALARM_INTERVAL = 5.0
"""AWS seconds between checks of the stop conditions."""
_BY_CONDITION = "Experiment halted by stop condition."


class ExperimentRun:
    def __init__(self, ctx: Context, network: Network, experiment: Experiment) -> None:
        self._ctx = ctx
        self._network = network
        self._experiment = experiment

    async def run(self) -> None:
        experiment = self._experiment
        await experiment.wait_for_halt(self._ctx.clock, PENDING_SECONDS)
        try:
            if not experiment.halt.is_set():
                await self._initiate()
            if not experiment.halt.is_set():
                await self._act()
        except ExperimentFailed as error:
            experiment.error = {"accountId": self._ctx.account, "code": error.code, "location": "experiment"}
            self._end("failed", str(error), rest="cancelled")
            return
        if failed := [each for each in experiment.actions.values() if each.status == "failed"]:
            self._end("failed", f"Experiment failed: action {failed[0].name}: {failed[0].reason}", rest="cancelled")
        elif experiment.halt.is_set():
            self._set_status("stopping", "Experiment is stopping")
            await self._ctx.clock.sleep(STOPPING_SECONDS)
            self._end("stopped", experiment.halted, rest="cancelled")
        else:
            self._end("completed", "Experiment completed.", rest="completed")

    async def _initiate(self) -> None:
        experiment, definition = self._experiment, self._experiment.template.definition
        self._set_status("initiating", "Experiment is initiating")
        experiment.started = self._ctx.clock.now()
        await experiment.wait_for_halt(self._ctx.clock, INITIATING_SECONDS)
        await self._check_alarms()
        kinds = [KINDS[each.definition["actionId"]] for each in experiment.actions.values()]
        await role.check(self._ctx.aws, definition["roleArn"], [it for kind in kinds for it in kind.permissions])
        for name, target in definition.get("targets", {}).items():
            experiment.targets[name] = await resolve(self._ctx, target)
            if not experiment.targets[name] and not self._skips:
                raise ExperimentFailed(f"Target resolution returned empty set: {name}", "TargetResolutionFailure")

    @property
    def _skips(self) -> bool:
        options: Mapping[str, str] = self._experiment.template.definition.get("experimentOptions", {})
        return options.get("emptyTargetResolutionMode", "fail") == "skip"

    async def _act(self) -> None:
        experiment = self._experiment
        self._set_status("running", "Experiment is running")
        ended = {name: asyncio.Event() for name in experiment.actions}
        async with asyncio.TaskGroup() as outer:
            alarms = outer.create_task(self._watch_alarms())
            async with asyncio.TaskGroup() as actions:
                for action in experiment.actions.values():
                    actions.create_task(self._action(action, ended))
            alarms.cancel()

    async def _action(self, action: Action, ended: Mapping[str, asyncio.Event]) -> None:
        experiment, now = self._experiment, self._ctx.clock.now
        try:
            before = action.definition.get("startAfter", ())
            for name in before:
                await ended[name].wait()
            if experiment.halt.is_set() or any(experiment.actions[name].status == "failed" for name in before):
                action.status, action.reason = "cancelled", "Action was cancelled"
                return
            targets = [
                arn for name in action.definition.get("targets", {}).values() for arn in experiment.targets[name]
            ]
            kind = KINDS[action.definition["actionId"]]
            if kind.target and not targets:
                action.status, action.reason = "skipped", "Target resolution returned empty set"
                return
            action.status, action.reason, action.started = "running", "Action is running", now()
            job = Job(self._ctx, self._network, action.definition.get("parameters", {}), targets, experiment)
            try:
                await kind.run(job)
            except ActionFailed as error:
                action.status, action.reason = "failed", str(error)
                experiment.stop(f"Experiment failed: action {action.name}: {error}")
                return
            stopped = experiment.halt.is_set() and "duration" in job.parameters
            action.status, action.reason = (
                ("stopped", "Action was stopped") if stopped else ("completed", "Action was completed.")
            )
        finally:
            action.ended = now()
            ended[action.name].set()

    async def _watch_alarms(self) -> None:
        while not self._experiment.halt.is_set():
            await self._check_alarms()
            await self._ctx.clock.sleep(ALARM_INTERVAL)

    async def _check_alarms(self) -> None:
        """Stop the experiment when one of its alarms is in ALARM."""
        conditions = self._experiment.template.definition["stopConditions"]
        names = [each["value"].partition(":alarm:")[2] for each in conditions if each.get("value")]
        if not names:
            return
        try:
            found = await self._ctx.aws.call("cloudwatch", "DescribeAlarms", AlarmNames=names)
        except AwsError as error:
            self._ctx.log.warning("stop conditions of %s: %s", self._experiment.id, error)
            return
        alarms = [*found.get("MetricAlarms", ()), *found.get("CompositeAlarms", ())]
        if any(each["StateValue"] == "ALARM" for each in alarms):
            self._experiment.stop(_BY_CONDITION)

    def _set_status(self, status: str, reason: str) -> None:
        self._experiment.status, self._experiment.reason = status, reason

    def _end(self, status: str, reason: str, *, rest: str) -> None:
        self._experiment.ended = self._ctx.clock.now()
        for action in self._experiment.actions.values():
            if not action.over:
                action.status, action.reason = rest, f"Action was {rest}"
        self._set_status(status, reason)
