"""Faults of one container, which a shell in it commits or sees, by ECS Exec."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..core.errors import NotSupported, UsageError
from .context import FaultContext
from .emulator_fault import EmulatorFault
from .fault import Observation

_KILLED = 137
"""128 + SIGKILL: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html"""
_LOOK_EVERY = 2.0
"""AWS seconds."""


@dataclass(frozen=True)
class ContainerFault:
    """What all of them are told; the first container when none is named."""

    task: str
    """The task's ARN."""
    container: str | None = None

    @property
    def target(self) -> str:
        return self.task


@dataclass(frozen=True)
class KillEffect:
    """The effect on a container whose program was killed. It stays dead, so there is nothing to undo."""

    context: FaultContext
    task: str
    container: str
    of_this: Callable[[Mapping[str, Any], Mapping[str, Any]], bool]
    """Whether a task and its container, as DescribeTasks tells them, show that it was this that killed it."""

    async def verify(self) -> Observation:
        task = await self.context.task(self.task)
        container = next(each for each in task["containers"] if each["name"] == self.container)
        code, reason = container.get("exitCode"), container.get("reason", "no reason")
        seen = f"container {container['lastStatus']}, exit code {code}, {reason}; "
        seen += f"task {task['lastStatus']}, {task.get('stopCode')}"
        return Observation(code == _KILLED and self.of_this(task, container), seen)

    async def undo(self) -> None:
        return None

    async def counts(self) -> Mapping[str, int]:
        return {}


@dataclass(frozen=True)
class ExecEffect:
    """The effect of a fault that the cloud commits and that is seen in the container."""

    context: FaultContext
    emulator_fault: EmulatorFault
    task: str
    container: str

    async def undo(self) -> None:
        await self.emulator_fault.undo()

    async def counts(self) -> Mapping[str, int]:
        return await self.emulator_fault.counts()


def choose_container(task: Mapping[str, Any], container: str | None) -> str:
    """The container of this name, the first one when there is none. Raises `UsageError`."""
    names = [each["name"] for each in task["containers"]]
    if container is not None and container not in names:
        raise UsageError(f"task {task['taskArn']} has no container {container!r}; it has {', '.join(names)}")
    return container or str(names[0])


def require_exec(task: Mapping[str, Any]) -> None:
    """Raises `NotSupported` for a task without ECS Exec: nobody could tell what is seen in it."""
    if not task.get("enableExecuteCommand"):
        raise NotSupported(
            f"nobody can look into {task['taskArn']}", next="its service needs EnableExecuteCommand for ECS Exec"
        )


async def kill_by(context: FaultContext, task: str, container: str, script: str) -> None:
    """Run a script in a container that kills its program. Raises `UsageError` when it says that it could not."""
    from ..ecs_exec.client import ExecError  # noqa: PLC0415 - heavy: only where a command is run

    killing = asyncio.ensure_future(context.run(task, container, script))
    dying = asyncio.ensure_future(_stops_running(context, task))
    try:
        # The shell dies with its container, often before it has said so: either end will do.
        await asyncio.wait({killing, dying}, return_when=asyncio.FIRST_COMPLETED)
        if not killing.done() and dying.exception() is None:
            return
        result = await killing
    except ExecError as error:
        if error.definite:
            raise UsageError(f"nothing was killed in {container} of {task}: {error}") from error
        return  # what is seen of the task decides
    finally:
        killing.cancel()
        dying.cancel()
        await asyncio.gather(killing, dying, return_exceptions=True)
    if result.exit_code not in (0, 137):
        raise UsageError(f"nothing was killed in {container} of {task}: {result.output.strip()}")


async def _stops_running(context: FaultContext, task: str) -> None:
    while (await context.task(task))["lastStatus"] == "RUNNING":
        await context.clock.sleep(_LOOK_EVERY)
