"""A container's program is killed without clean-up: exit code 137.

    ECS Exec:  /bin/sh -c 'kill -9 <main>'  -->  container exits 137  -->  task STOPPED, EssentialContainerExited

- Where possible, both clouds use a shell in the container, by ECS Exec (`processes` finds the main process).
- That needs `linuxParameters.initProcessEnabled`, because the kernel ignores a SIGKILL that PID 1 gets from within; the
  task definition is checked in both clouds.
- Without ECS Exec or an init process, the emulated cloud kills the process itself. On AWS there is only StopTask (no
  crash), or FIS aws:ecs:task-kill-process with its SSM sidecar.

A killed process stays dead, so there is nothing to undo; its service starts another task.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..backends.capability import FAULT_TASK
from ..core.errors import NotSupported
from . import processes
from .context import FaultContext
from .exec_fault import ContainerFault, KillEffect, kill_by
from .fault import Effect


@dataclass(frozen=True)
class KillProcess(ContainerFault):
    """Kill the program of a task's container; the first container when none is named."""

    needs: ClassVar[tuple[str, ...]] = (FAULT_TASK,)
    within = 60.0

    async def inject(self, context: FaultContext) -> Effect:
        task, container = await self.chosen(context)
        if await context.can_signal(task, container):
            await kill_by(context, self.task, container, processes.KILL)
        elif context.fault_api is not None:
            await context.fault_api.inject(
                context.ids.marker(), "kill-process", {"task": self.task, "container": container}
            )
        else:
            raise NotSupported(
                f"container {container} of {self.task} cannot be killed from inside",
                next="that takes EnableExecuteCommand and LinuxParameters.InitProcessEnabled; or use StopTask",
            )
        return KillEffect(context, self.task, container, unasked)


def unasked(task: Mapping[str, Any], _: Mapping[str, Any]) -> bool:
    """Whether the task was not stopped on request: a container that outlives its stop timeout also exits 137."""
    return task.get("stopCode") in (None, "EssentialContainerExited")
