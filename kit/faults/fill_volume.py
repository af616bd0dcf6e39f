"""The shared volume is full: whoever writes to it is told "No space left on device"; what is there stays readable.

    cloud --fills--> file system      ECS Exec: a file of 64 KiB    before: written    while full: ENOSPC

The emulated cloud fills it only where it has an end, so that no disk of anybody's is filled up: with containers, and
`emulated.volume_mib` set. Real EFS has no end that could be reached, so live has this not; on AWS it is the task's own
storage that gets full (FIS aws:ecs:task-io-stress).
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..backends.capability import FAULT_DISK
from ..core.errors import UsageError
from .context import FaultContext
from .emulator_fault import EmulatorFault
from .exec_fault import ContainerFault, ExecEffect, choose_container, require_exec
from .fault import Effect, Observation, Visibility

_FULL = "No space left on device"


@dataclass(frozen=True)
class FillVolume(ContainerFault):
    """Fill the file system that a task's container has mounted; the first container's when none is named."""

    needs: ClassVar[tuple[str, ...]] = (FAULT_DISK,)
    visibility: ClassVar[Visibility] = Visibility.AT_ONCE
    within: ClassVar[float] = 60.0

    async def inject(self, context: FaultContext) -> Effect:
        task = await context.running_task(self.task)
        container = choose_container(task, self.container)
        require_exec(task)
        file_system, path = await _mounted(context, task, container)
        settings = {"file_system": file_system}
        emulator_fault = await EmulatorFault.inject(
            context, "fill-file-system", settings, did="filled", what="file system(s) filled"
        )
        return FullVolumeEffect(context, emulator_fault, self.task, container, path)


@dataclass(frozen=True)
class FullVolumeEffect(ExecEffect):
    path: str
    """Where it is mounted."""

    async def verify(self) -> Observation:
        file = shlex.quote(f"{self.path.rstrip('/')}/.probe-of-a-fault")
        # In a shell of its own, so that what its redirection says is heard too.
        script = f"(head -c 65536 /dev/zero > {file}) 2>&1; said=$?; rm -f {file}; exit $said"
        result = await self.context.run(self.task, self.container, script)
        said = result.output.strip() or "64 KiB written"
        return Observation(result.exit_code != 0 and _FULL in said, f"{self.path} in {self.container}: {said}")


async def _mounted(context: FaultContext, task: Mapping[str, Any], container: str) -> tuple[str, str]:
    """A file system and where it is mounted. Raises `UsageError`."""
    answer = await context.aws.call("ecs", "describe_task_definition", taskDefinition=task["taskDefinitionArn"])
    shared = {
        volume["name"]: volume["efsVolumeConfiguration"]["fileSystemId"]
        for volume in answer["taskDefinition"].get("volumes", ())
        if "efsVolumeConfiguration" in volume
    }
    for point in (await context.definition(task, container)).get("mountPoints", ()):
        if point["sourceVolume"] in shared:
            return shared[point["sourceVolume"]], str(point["containerPath"])
    raise UsageError(f"container {container} of {task['taskArn']} has mounted no file system of EFS")
