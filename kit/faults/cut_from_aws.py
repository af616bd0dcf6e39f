"""One task's AWS calls get no answer. Other callers are unaffected.

    task --X--> gateway        another task, the kit --> gateway

The emulated cloud identifies the task by its access key, also withholds the answers of calls in flight (a long poll for
messages), and counts. On AWS, ECS Exec asks the container agent to drop the task's packets to port 443 (the task
definition has EnableFaultInjection). That cuts off ECS Exec as well, so the fault cannot be ended early: it ends after
`lasts`, and undoing waits for that. A security group without egress would cut off all tasks of the service and keep
open connections; a single task's interface accepts no other group.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ..backends.capability import FAULT_NETWORK
from ..core.errors import InfraError, NotSupported, UsageError
from ..core.eventually import eventually
from . import processes
from .context import FaultContext
from .effects import TaskFault, Uncounted
from .emulator_fault import Counter
from .fault import Effect, Observation, Visibility

_CUT = Counter("cut-from-aws", "cut", "call(s) without an answer")
_HTTPS = 443
_AFTERWARDS = 90.0
"""AWS seconds until ECS Exec works again after the end."""


@dataclass(frozen=True)
class CutFromAws(TaskFault):
    """Cut a task off from AWS."""

    how: Literal["silence", "reset"] = "silence"
    """Packets vanish and calls hang until the fault is undone, or connections break at once."""
    lasts: float = 60.0
    """AWS seconds; used where the fault cannot be ended early."""

    needs: ClassVar[tuple[str, ...]] = (FAULT_NETWORK,)
    visibility = Visibility.BY_USE
    within = 90.0

    async def inject(self, context: FaultContext) -> Effect:
        task = await context.running_task(self.task)
        if context.fault_api is None:
            return await _cut_inside(context, task, self.how, self.lasts)
        return await _CUT.inject(context, task=self.task, how=self.how)


@dataclass(frozen=True)
class AgentEffect(Uncounted):
    """The effect of the task's container agent."""

    context: FaultContext
    task: str
    container: str
    until: float
    """AWS epoch seconds at which it ends by itself."""

    async def verify(self) -> Observation:
        why = await self._refusal()
        return Observation(
            why == _OUT_OF_REACH and self.context.clock.now() < self.until,
            "ECS Exec gets through to it" if why is None else f"ECS Exec: {why}",
        )

    async def undo(self) -> None:
        """Wait for its end."""
        await self.context.clock.sleep(self.until - self.context.clock.now())
        if (await self.context.task(self.task))["lastStatus"] != "RUNNING":
            return
        seen = await eventually(
            self._refusal,
            until=lambda why: why != _OUT_OF_REACH,
            within=_AFTERWARDS,
            clock=self.context.clock,
            describe=f"ECS Exec to get through to {self.task} again",
        )
        if seen is not None and (await self.context.task(self.task))["lastStatus"] == "RUNNING":
            raise InfraError(f"task {self.task} may still be cut off from AWS: {seen}")

    async def _refusal(self) -> str | None:
        """The error code of ExecuteCommand, whose agent uses the same port; None for a session."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 - heavy: only where a call is made

        try:
            await self.context.aws.call(
                "ecs",
                "execute_command",
                cluster=self.context.system.stack.cluster_name,
                task=self.task,
                container=self.container,
                command="true",
                interactive=True,
            )
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return None


_OUT_OF_REACH = "TargetNotConnectedException"


async def _cut_inside(context: FaultContext, task: Mapping[str, Any], how: str, lasts: float) -> AgentEffect:
    arn, container = task["taskArn"], task["containers"][0]["name"]
    if how != "silence":
        raise NotSupported("nothing on AWS breaks a task's connections", next='CutFromAws(…, how="silence")')
    definition = await context.task_definition(task)
    if not (definition.get("enableFaultInjection") and task.get("enableExecuteCommand")):
        raise NotSupported(
            f"task {arn} cannot be cut off from AWS",
            next="that takes EnableFaultInjection in its task definition, and EnableExecuteCommand in its service",
        )
    result = await context.run(arn, container, processes.blackhole(_HTTPS, lasts / context.clock.scale))
    if result.exit_code != 0 or "not-running" not in result.output:
        raise UsageError(f"the container agent of {arn} refuses: {result.output.strip()}")
    return AgentEffect(context, arn, container, context.clock.now() + lasts)
