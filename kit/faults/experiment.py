"""One experiment of AWS's Fault Injection Service: written down, started, watched, ended, its template deleted.

    book --> template --> experiment --running--> … --> completed
                             \\--StopExperiment, or a stop condition--> stopped

The same in both clouds. What an experiment does it takes back itself at its end, also when nobody is there any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..aws.undo import DEADLINE, Page, UndoCall
from ..core.errors import InfraError, NotSupported
from ..core.eventually import NotYet, eventually
from .context import Site

SHORTEST = 60.0
"""Seconds of an action that lasts: PT1M."""
_ENDED = ("completed", "stopped", "failed", "cancelled")
_STARTS_WITHIN, _ENDS_WITHIN = 120.0, 120.0
"""AWS seconds."""


@dataclass
class Experiment:
    """An experiment that was started."""

    site: Site
    page: Page
    template: str = ""
    id: str = ""

    @classmethod
    async def start(
        cls, site: Site, description: str, targets: Mapping[str, Any], actions: Mapping[str, Any]
    ) -> Experiment:
        """Start it, and return when its actions run or it has ended. Raises `NotSupported` where the stack has no role
        for it, `InfraError` when it failed."""
        role = site.system.stack.fault_role_arn
        if not role:
            raise NotSupported(
                f"stack {site.system.stack.name} has no role for experiments",
                next="add the output FaultRoleArn: a role that fis.amazonaws.com may assume",
            )
        alarm = site.system.stack.fault_abort_alarm_arn
        condition = {"source": "aws:cloudwatch:alarm", "value": alarm} if alarm else {"source": "none"}
        name = site.ids.marker()
        page = Page.begin(site.book, f"experiment {name}", (), until=site.clock.now() + DEADLINE)
        experiment = cls(site, page)
        tags = {**site.tags, "Name": name}
        try:
            made = await site.aws.call(
                "fis",
                "create_experiment_template",
                clientToken=f"template-{name}",
                description=description,
                roleArn=role,
                stopConditions=[condition],
                targets=targets,
                actions=actions,
                tags=tags,
            )
            experiment.template = made["experimentTemplate"]["id"]
            delete = UndoCall(
                "fis", "delete_experiment_template", {"id": experiment.template}, gone=("ResourceNotFoundException",)
            )
            page.add(f"template of {name}", delete, id=experiment.template)
            started = await site.aws.call(
                "fis",
                "start_experiment",
                clientToken=f"experiment-{name}",
                experimentTemplateId=experiment.template,
                tags=tags,
            )
            experiment.id = started["experiment"]["id"]
            over = ("ResourceNotFoundException", "ValidationException")  # which is said of one that has ended
            stop = UndoCall("fis", "stop_experiment", {"id": experiment.id}, gone=over)
            page.add(f"run of {name}", stop, id=experiment.id)
            await eventually(
                experiment.state,
                until=lambda state: state["status"] == "running" or state["status"] in _ENDED,
                within=_STARTS_WITHIN,
                clock=site.clock,
                describe=f"experiment {experiment.id} to run",
            )
            state = await experiment.state()
            if state["status"] == "failed":
                raise InfraError(f"experiment {experiment.id} failed: {state.get('reason', '')}")
        except BaseException:
            await experiment.end()
            raise
        return experiment

    async def state(self) -> Mapping[str, Any]:
        """Its status and reason."""
        found: Mapping[str, Any] = (await self._shown())["state"]
        return found

    async def action(self, name: str) -> str:
        """How an action of it is doing, in words: that it runs says nothing about what comes of it."""
        shown = await self._shown()
        state = shown["actions"][name]["state"]
        told = f"experiment {self.id} {shown['state']['status']}, action {state['status']}: {state.get('reason', '')}"
        return told.rstrip(": ")

    async def targets(self, name: str) -> list[str]:
        """The ARNs that a target of it came to mean."""
        return list((await self._shown())["targets"][name].get("resourceArns", ()))

    async def end(self) -> None:
        """Stop it unless it has ended, wait for its end, delete its template. May be repeated. Raises `InfraError`."""
        await self.page.undo(self.site.aws, self.site.clock)
        if self.id:
            await eventually(self._over, within=_ENDS_WITHIN, clock=self.site.clock, describe=f"the end of {self.id}")

    async def _over(self) -> str:
        status = (await self.state())["status"]
        if status not in _ENDED:
            raise NotYet(status)
        return str(status)

    async def _shown(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = (await self.site.aws.call("fis", "get_experiment", id=self.id))["experiment"]
        return found
