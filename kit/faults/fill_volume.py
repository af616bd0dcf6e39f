"""The shared volume is full: writing fails with "No space left on device"; its files stay readable.

    cloud --fills--> file system      ECS Exec: a file of 64 KiB    before: written    while full: ENOSPC

The emulated cloud fills only a volume of limited size, so that no real disk fills up: with containers, and
`emulated.volume_mib` set. Real EFS has no reachable limit, so live runs cannot do this; on AWS only a task's storage
can be filled (FIS aws:ecs:task-io-stress).
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..backends.capability import FAULT_DISK
from ..core.errors import UsageError
from .context import FaultContext
from .emulator_fault import Counter
from .exec_fault import ContainerFault, ExecEffect
from .fault import Effect, Observation

_FILLED = Counter("fill-file-system", "filled", "file system(s) filled")
_FULL = "No space left on device"


@dataclass(frozen=True)
class FillVolume(ContainerFault):
    """Fill the file system that a task's container (the first, unless named) has mounted."""

    needs: ClassVar[tuple[str, ...]] = (FAULT_DISK,)
    within = 60.0

    async def inject(self, context: FaultContext) -> Effect:
        task, container = await self.enterable(context)
        file_system, path = await _mounted(context, task, container)
        filled = await _FILLED.inject(context, file_system=file_system)
        return FullVolumeEffect(context, filled, self.task, container, path)


@dataclass(frozen=True)
class FullVolumeEffect(ExecEffect):
    path: str
    """Where it is mounted."""

    async def verify(self) -> Observation:
        file = shlex.quote(f"{self.path.rstrip('/')}/.probe-of-a-fault")
        # In a subshell, so that errors of its redirection are captured too.
        script = f"(head -c 65536 /dev/zero > {file}) 2>&1; said=$?; rm -f {file}; exit $said"
        result = await self.context.run(self.task, self.container, script)
        output = result.output.strip() or "64 KiB written"
        return Observation(result.exit_code != 0 and _FULL in output, f"{self.path} in {self.container}: {output}")


async def _mounted(context: FaultContext, task: Mapping[str, Any], container: str) -> tuple[str, str]:
    """A file system and where it is mounted. Raises `UsageError`."""
    definition = await context.task_definition(task)
    shared = {
        volume["name"]: volume["efsVolumeConfiguration"]["fileSystemId"]
        for volume in definition.get("volumes", ())
        if "efsVolumeConfiguration" in volume
    }
    for point in (await context.definition(task, container)).get("mountPoints", ()):
        if point["sourceVolume"] in shared:
            return shared[point["sourceVolume"]], str(point["containerPath"])
    raise UsageError(f"container {container} of {task['taskArn']} mounts no EFS file system")
