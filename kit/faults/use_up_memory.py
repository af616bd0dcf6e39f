"""A container exceeds its memory limit: the kernel kills its program, and ECS reports the reason.

    ECS Exec: /bin/sh  -->  grows  -->  limit reached  -->  the kernel kills the main process
              exit code 137, reason "OutOfMemoryError: Container killed due to memory usage"

A shell in the same container really reaches the limit; the main process is marked first as the one to kill, because in
production it is the one that grows. Tasks that are processes of this machine have no limit, so the fault is absent
there. On AWS the same script should work by ECS Exec; that is untested, so live runs do not have it.

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
from .exec_fault import ContainerFault, KillEffect, kill_by
from .fault import Effect

_REASON = "OutOfMemoryError"
"""https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html"""


@dataclass(frozen=True)
class UseUpMemory(ContainerFault):
    """Use up the memory of a task's container; of the first one when none is named."""

    needs: ClassVar[tuple[str, ...]] = (FAULT_MEMORY,)
    within = 120.0

    async def inject(self, context: FaultContext) -> Effect:
        task, container = await self.chosen(context)
        if not await context.can_signal(task, container):
            raise NotSupported(
                f"container {container} of {self.task} cannot be entered",
                next="it needs EnableExecuteCommand and LinuxParameters.InitProcessEnabled",
            )
        limit = _limit(task, await context.definition(task, container))
        await kill_by(context, self.task, container, processes.use_up_memory(limit))
        return KillEffect(context, self.task, container, _out_of_memory)


def _out_of_memory(_: Mapping[str, Any], container: Mapping[str, Any]) -> bool:
    return str(container.get("reason", "")).startswith(_REASON)


def _limit(task: Mapping[str, Any], definition: Mapping[str, Any]) -> int:
    """The container's memory limit, or its task's, in bytes."""
    return int(definition.get("memory") or task["memory"]) << 20
