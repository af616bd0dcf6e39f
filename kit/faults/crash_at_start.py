"""A service's program exits right after its start: its tasks come and go, at growing intervals.

    task --start--> exit code 1    EssentialContainerExited, again and again; ECS waits longer each time:
                                   "(service …) is unable to consistently start tasks successfully."

The same in every cloud: a revision of the task definition that runs `exit 1` in the image's shell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..core.errors import UsageError
from .context import FaultContext
from .task_revision import ServiceFault, main_container


@dataclass(frozen=True)
class CrashAtStart(ServiceFault):
    """Crash a service's program at its start."""

    exit_code: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.exit_code <= 125:
            raise UsageError(f"exit_code must be 0 to 125, got {self.exit_code}")

    def _change(self, wanted: dict[str, Any], context: FaultContext) -> None:
        script = f"echo 'crashes: a fault of the test kit'; exit {self.exit_code}"
        main_container(wanted).update(entryPoint=["/bin/sh", "-c"], command=[script])

    def _judge(self, task: Mapping[str, Any]) -> str | None:
        codes = [each.get("exitCode") for each in task["containers"]]
        if task.get("stopCode") != "EssentialContainerExited" or self.exit_code not in codes:
            return None
        return f"{task.get('stoppedReason')}, exit code {self.exit_code}"
