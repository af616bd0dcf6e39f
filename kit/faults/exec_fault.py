"""Faults of one container that a shell in it causes or observes, by ECS Exec."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..core.errors import NotSupported, UsageError
from .context import FaultContext
from .effects import EmulatorEffect, TaskFault, Uncounted
from .fault import Observation

_KILLED = 137
"""128 + SIGKILL: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html"""
_LOOK_EVERY = 2.0
"""AWS seconds."""


@dataclass(frozen=True)
class ContainerFault(TaskFault):
    """A fault of one container of a task: of the first one when none is named."""

    container: str | None = None

    async def chosen(self, context: FaultContext) -> tuple[dict[str, Any], str]:
        """The running task and the name of the container. Raises `UsageError`."""
        task = await context.running_task(self.task)
        return task, choose_container(task, self.container)

    async def enterable(self, context: FaultContext) -> tuple[dict[str, Any], str]:
        """As `chosen`; raises `NotSupported` for a task without ECS Exec, in which nothing can be observed."""
        task, container = await self.chosen(context)
        require_exec(task)
        return task, container


@dataclass(frozen=True)
class KillEffect(Uncounted):
    """The effect on a container whose program was killed. Permanent, so there is nothing to undo."""

    context: FaultContext
    task: str
    container: str
    caused_by_fault: Callable[[Mapping[str, Any], Mapping[str, Any]], bool]
    """Whether a task and its container, from DescribeTasks, show that this fault killed it."""

    async def verify(self) -> Observation:
        task = await self.context.task(self.task)
        container = next(each for each in task["containers"] if each["name"] == self.container)
        code, reason = container.get("exitCode"), container.get("reason", "no reason")
        seen = f"container {container['lastStatus']}, exit code {code}, {reason}; "
        seen += f"task {task['lastStatus']}, {task.get('stopCode')}"
        return Observation(code == _KILLED and self.caused_by_fault(task, container), seen)

    async def undo(self) -> None:
        return None


@dataclass(frozen=True)
class ExecEffect(EmulatorEffect):
    """An effect that the emulated cloud causes and that a shell in the container observes."""

    task: str
    container: str


def choose_container(task: Mapping[str, Any], container: str | None) -> str:
    """The container of this name, the first one when there is none. Raises `UsageError`."""
    names = [each["name"] for each in task["containers"]]
    if container is not None and container not in names:
        raise UsageError(f"task {task['taskArn']} has no container {container!r}; it has {', '.join(names)}")
    return container or str(names[0])


def require_exec(task: Mapping[str, Any]) -> None:
    """Raises `NotSupported` for a task without ECS Exec, in which nothing can be observed."""
    if not task.get("enableExecuteCommand"):
        raise NotSupported(
            f"task {task['taskArn']} has no ECS Exec", next="its service needs EnableExecuteCommand for ECS Exec"
        )


async def kill_by(context: FaultContext, task: str, container: str, script: str) -> None:
    """Run a script that kills its container's program. Raises `UsageError` when the script reports a failure."""
    from ..ecs_exec.client import ExecError  # noqa: PLC0415 - heavy: only where a command is run

    killing = asyncio.ensure_future(context.run(task, container, script))
    dying = asyncio.ensure_future(_stops_running(context, task))
    try:
        # The shell dies with its container, often before its output arrives: wait for either.
        await asyncio.wait({killing, dying}, return_when=asyncio.FIRST_COMPLETED)
        if not killing.done() and dying.exception() is None:
            return
        result = await killing
    except ExecError as error:
        if error.definite:
            raise UsageError(f"nothing was killed in {container} of {task}: {error}") from error
        return  # verify decides
    finally:
        killing.cancel()
        dying.cancel()
        await asyncio.gather(killing, dying, return_exceptions=True)
    if result.exit_code not in (0, 137):
        raise UsageError(f"nothing was killed in {container} of {task}: {result.output.strip()}")


async def _stops_running(context: FaultContext, task: str) -> None:
    while (await context.task(task))["lastStatus"] == "RUNNING":
        await context.clock.sleep(_LOOK_EVERY)
