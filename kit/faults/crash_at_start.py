"""The program of a service ends as soon as it is started: its tasks come and go, until ECS lets them come less often.

    task --start--> exit code 1    EssentialContainerExited, again and again; ECS waits longer each time:
                                   "(service …) is unable to consistently start tasks successfully."

The same in every cloud: a revision of the task definition that runs `exit 1` in the image's shell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..backends.capability import FAULT_START
from ..core.errors import UsageError
from .context import FaultContext
from .fault import Effect, Visibility
from .task_revision import TaskRevision, main_container


@dataclass(frozen=True)
class CrashAtStart:
    """Let a service's program crash."""

    service: str
    """hermes or edit."""
    exit_code: int = 1

    needs: ClassVar[tuple[str, ...]] = (FAULT_START,)
    visibility: ClassVar[Visibility] = Visibility.BY_USE
    within: ClassVar[float] = 240.0

    def __post_init__(self) -> None:
        if not 0 <= self.exit_code <= 125:
            raise UsageError(f"exit_code must be 0 to 125, got {self.exit_code}")

    @property
    def target(self) -> str:
        return self.service

    async def inject(self, context: FaultContext) -> Effect:
        def change(wanted: dict[str, Any]) -> None:
            script = f"echo 'crashes: a fault of the test kit'; exit {self.exit_code}"
            main_container(wanted).update(entryPoint=["/bin/sh", "-c"], command=[script])

        def judge(task: Mapping[str, Any]) -> str | None:
            codes = [each.get("exitCode") for each in task["containers"]]
            if task.get("stopCode") != "EssentialContainerExited" or self.exit_code not in codes:
                return None
            return f"{task.get('stoppedReason')}, exit code {self.exit_code}"

        return await TaskRevision.inject(context, self.service, change, judge)
