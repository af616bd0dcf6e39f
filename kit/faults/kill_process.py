"""The program of a container is killed: no last word, no clean-up, exit code 137.

    ECS Exec:  /bin/sh -c 'kill -9 <main>'  -->  container exits 137  -->  task STOPPED, EssentialContainerExited

- Both clouds go the same way where they can: a shell in the container, by ECS Exec. The main process is the oldest
  one of this container but its init process. Told by /proc and the metadata variable that ECS gives to every process,
  it is the right one also where the machine's other processes are in sight.
- Live it needs `linuxParameters.initProcessEnabled`: the kernel ignores a SIGKILL that PID 1 gets from within. It is
  asked of the task definition in both clouds.
- Where ECS Exec is off or there is no init process, the emulated cloud kills by its own hand. Live cannot: there it is
  StopTask (no crash), or FIS aws:ecs:task-kill-process with its SSM sidecar.

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
from .exec_fault import ContainerFault, KillEffect, choose_container, kill_by
from .fault import Effect, Visibility


@dataclass(frozen=True)
class KillProcess(ContainerFault):
    """Kill the program of a task's container; the first container when none is named."""

    needs: ClassVar[tuple[str, ...]] = (FAULT_TASK,)
    visibility: ClassVar[Visibility] = Visibility.AT_ONCE
    within: ClassVar[float] = 60.0

    async def inject(self, context: FaultContext) -> Effect:
        task = await context.running_task(self.task)
        container = choose_container(task, self.container)
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
    """A container that outlived its stop timeout also exits 137, but then somebody wanted its task to stop."""
    return task.get("stopCode") in (None, "EssentialContainerExited")
