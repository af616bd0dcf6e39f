"""An experiment of AWS's Fault Injection Service: recorded, started, watched, ended, its template deleted.

    book --> template --> experiment --running--> … --> completed
                             \\--StopExperiment, or a stop condition--> stopped

The same in both clouds. An experiment undoes its actions at its end, even if the kit is gone by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..aws.undo import DEADLINE, UndoCall, UndoRecord
from ..core.errors import InfraError, NotSupported
from ..core.eventually import NotYet, eventually
from .context import FaultContext

SHORTEST = 60.0
"""The shortest duration of an action, in seconds: PT1M."""
_ENDED = ("completed", "stopped", "failed", "cancelled")
_STARTS_WITHIN, _ENDS_WITHIN = 120.0, 120.0
"""AWS seconds."""


@dataclass
class Experiment:
    """A started experiment."""

    context: FaultContext
    undo_record: UndoRecord
    name: str
    """Unique; the template and the experiment carry it as a tag."""
    template: str = ""
    id: str = ""

    @classmethod
    async def start(
        cls, context: FaultContext, description: str, targets: Mapping[str, Any], actions: Mapping[str, Any]
    ) -> Experiment:
        """Start an experiment and wait until its actions run or it has ended.

        Raises `NotSupported` when the stack has no role for it, `InfraError` when it failed.
        """
        stack = context.system.stack
        if not stack.fault_role_arn:
            raise NotSupported(
                f"stack {stack.name} has no role for experiments",
                next="add the output FaultRoleArn: a role that fis.amazonaws.com may assume",
            )
        alarm = stack.fault_abort_alarm_arn
        condition = {"source": "aws:cloudwatch:alarm", "value": alarm} if alarm else {"source": "none"}
        name = context.ids.marker()
        until = context.clock.now() + DEADLINE
        undo_record = UndoRecord.begin(context.undo_book, f"experiment {name}", (), until=until)
        experiment = cls(context, undo_record, name)
        try:
            await experiment._create_template(
                description=description,
                roleArn=stack.fault_role_arn,
                stopConditions=[condition],
                targets=targets,
                actions=actions,
            )
            await experiment._run()
        except BaseException:
            await experiment.end()
            raise
        return experiment

    async def _create_template(self, **wanted: Any) -> None:
        made = await self._call("create_experiment_template", clientToken=f"template-{self.name}", **wanted)
        self.template = made["experimentTemplate"]["id"]
        delete = UndoCall(
            "fis", "delete_experiment_template", {"id": self.template}, gone=("ResourceNotFoundException",)
        )
        self.undo_record.add(f"template of {self.name}", delete, id=self.template)

    async def _run(self) -> None:
        started = await self._call(
            "start_experiment", clientToken=f"experiment-{self.name}", experimentTemplateId=self.template
        )
        self.id = started["experiment"]["id"]
        over = ("ResourceNotFoundException", "ValidationException")  # the latter for one that has ended
        stop = UndoCall("fis", "stop_experiment", {"id": self.id}, gone=over)
        self.undo_record.add(f"run of {self.name}", stop, id=self.id)
        state = await eventually(
            self.state,
            until=lambda state: state["status"] == "running" or state["status"] in _ENDED,
            within=_STARTS_WITHIN,
            clock=self.context.clock,
            describe=f"experiment {self.id} to run",
        )
        if state["status"] == "failed":
            raise InfraError(f"experiment {self.id} failed: {state.get('reason', '')}")

    async def _call(self, operation: str, **params: Any) -> dict[str, Any]:
        return await self.context.aws.call("fis", operation, **params, tags={**self.context.tags, "Name": self.name})

    async def state(self) -> Mapping[str, Any]:
        """Its status and reason."""
        found: Mapping[str, Any] = (await self._shown())["state"]
        return found

    async def action(self, name: str) -> str:
        """The state of an action, in words. A running action proves no effect."""
        shown = await self._shown()
        state = shown["actions"][name]["state"]
        state_text = (
            f"experiment {self.id} {shown['state']['status']}, action {state['status']}: {state.get('reason', '')}"
        )
        return state_text.rstrip(": ")

    async def targets(self, name: str) -> list[str]:
        """The ARNs that a target was resolved to."""
        return list((await self._shown())["targets"][name].get("resourceArns", ()))

    async def end(self) -> None:
        """Stop it, wait for its end, and delete its template. May be repeated. Raises `InfraError`."""
        await self.undo_record.undo(self.context.aws, self.context.clock)
        if self.id:
            await eventually(
                self._over, within=_ENDS_WITHIN, clock=self.context.clock, describe=f"the end of {self.id}"
            )

    async def _over(self) -> str:
        status = (await self.state())["status"]
        if status not in _ENDED:
            raise NotYet(status)
        return str(status)

    async def _shown(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = (await self.context.aws.call("fis", "get_experiment", id=self.id))["experiment"]
        return found
