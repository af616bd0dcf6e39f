"""Stops a task with StopTask: SIGTERM, and SIGKILL after its stop timeout; its targets drain first.

The same call in both clouds. With `by="fis"` an experiment of the Fault Injection Service makes it, with its stop
condition, role and record. A stopped task stays stopped, so there is nothing to undo; its service starts another task.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from ..backends.capability import FAULT_TASK
from .context import FaultContext
from .effects import TaskFault, Uncounted
from .experiment import Experiment
from .fault import Effect, Observation


@dataclass(frozen=True)
class StopTask(TaskFault):
    """Stop a task."""

    reason: str = "stopped by the test kit"
    by: Literal["api", "fis"] = "api"

    needs: ClassVar[tuple[str, ...]] = (FAULT_TASK,)
    within = 120.0

    async def inject(self, context: FaultContext) -> Effect:
        await context.running_task(self.task)
        cluster = context.system.stack.cluster_name
        if self.by == "fis":
            target = {"resourceType": "aws:ecs:task", "resourceArns": [self.task], "selectionMode": "ALL"}
            action = {"actionId": "aws:ecs:stop-task", "targets": {"Tasks": "task"}}
            experiment = await Experiment.start(context, f"stop {self.task}"[:512], {"task": target}, {"stop": action})
            return StopEffect(context, self.task, experiment)
        await context.aws.call("ecs", "stop_task", cluster=cluster, task=self.task, reason=self.reason)
        return StopEffect(context, self.task)


@dataclass(frozen=True)
class StopEffect(Uncounted):
    context: FaultContext
    task: str
    experiment: Experiment | None = None

    async def verify(self) -> Observation:
        task = await self.context.task(self.task)
        status, why = task["lastStatus"], task.get("stopCode")
        seen = f"task {status}, {why}: {task.get('stoppedReason', 'no reason')}"
        return Observation(status == "STOPPED" and why == "UserInitiated", seen)

    async def undo(self) -> None:
        """Delete the experiment's template. The task stays stopped."""
        if self.experiment is not None:
            await self.experiment.end()
