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
from typing import ClassVar

from kit.backends.capability import FAULT_TASK
from kit.errors import NotSupported
from kit.faults import processes
from kit.faults.fault import Effect, Seen, Shows
from kit.faults.inside import chosen, dies_of
from kit.faults.site import Site

KILLED = 137
"""128 + SIGKILL: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html"""


@dataclass(frozen=True)
class KillProcess:
    """Kill the program of a task's container; the first container when none is named."""

    task: str
    """The task's ARN."""
    container: str | None = None

    needs: ClassVar[tuple[str, ...]] = (FAULT_TASK,)
    shows: ClassVar[Shows] = Shows.AT_ONCE
    within: ClassVar[float] = 60.0

    @property
    def target(self) -> str:
        return self.task

    async def inject(self, site: Site) -> Effect:
        task = await site.running_task(self.task)
        container = chosen(task, self.container)
        if await site.can_signal(task, container):
            await dies_of(site, self.task, container, processes.KILL)
        elif site.door is not None:
            await site.door.inject(site.ids.marker(), "kill-process", {"task": self.task, "container": container})
        else:
            raise NotSupported(
                f"container {container} of {self.task} cannot be killed from inside",
                next="that takes EnableExecuteCommand and LinuxParameters.InitProcessEnabled; or use StopTask",
            )
        return Killed(site, self.task, container)


@dataclass(frozen=True)
class Killed:
    site: Site
    task: str
    container: str

    async def verify(self) -> Seen:
        task = await self.site.task(self.task)
        container = next(each for each in task["containers"] if each["name"] == self.container)
        code, why = container.get("exitCode"), task.get("stopCode")
        seen = f"container {container['lastStatus']}, exit code {code}; task {task['lastStatus']}, {why}"
        # A container that outlived its stop timeout also exits 137, but then somebody wanted its task to stop.
        return Seen(code == KILLED and why in (None, "EssentialContainerExited"), seen)

    async def undo(self) -> None:
        return None

    async def counts(self) -> Mapping[str, int]:
        return {}
