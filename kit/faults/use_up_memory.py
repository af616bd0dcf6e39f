"""A container needs more memory than it may have: the kernel kills its program, and ECS says why.

    ECS Exec: /bin/sh  -->  grows  -->  limit reached  -->  the kernel kills the main process
              exit code 137, reason "OutOfMemoryError: Container killed due to memory usage"

The limit is really reached, by a shell in the same container; the kernel is told beforehand that the main process is
the one to kill, as it is in life, where it is the one that grows. Where containers are processes of this machine there
is no limit, so there the fault is absent. On AWS the same script would do by ECS Exec; as that has not been tried,
live has it not.

A killed program stays dead, so there is nothing to undo; its service starts another task.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..backends.capability import FAULT_MEMORY
from ..core.errors import NotSupported
from . import processes
from .context import FaultContext
from .exec_fault import ContainerFault, KillEffect, choose_container, kill_by
from .fault import Effect, Visibility

_REASON = "OutOfMemoryError"
"""https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html"""


@dataclass(frozen=True)
class UseUpMemory(ContainerFault):
    """Use up the memory of a task's container; of the first one when none is named."""

    needs: ClassVar[tuple[str, ...]] = (FAULT_MEMORY,)
    visibility: ClassVar[Visibility] = Visibility.AT_ONCE
    within: ClassVar[float] = 120.0

    async def inject(self, context: FaultContext) -> Effect:
        task = await context.running_task(self.task)
        container = choose_container(task, self.container)
        if not await context.can_signal(task, container):
            raise NotSupported(
                f"nobody can get into container {container} of {self.task}",
                next="that takes EnableExecuteCommand and LinuxParameters.InitProcessEnabled",
            )
        limit = _limit(task, await context.definition(task, container))
        await kill_by(context, self.task, container, processes.use_up_memory(limit))
        return KillEffect(context, self.task, container, _out_of_memory)


def _out_of_memory(_: Mapping[str, Any], container: Mapping[str, Any]) -> bool:
    return str(container.get("reason", "")).startswith(_REASON)


def _limit(task: Mapping[str, Any], definition: Mapping[str, Any]) -> int:
    """In bytes: the container's own, or its task's."""
    return int(definition.get("memory") or task["memory"]) << 20
