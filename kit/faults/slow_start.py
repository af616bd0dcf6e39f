"""A service's tasks take long to start: requests and work arrive before any of them runs.

    task --> container "slow-start" sleeps --> COMPLETE --> the service's own container

The same in every cloud: a revision of the task definition with a container that the others depend on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..core.errors import UsageError
from .context import FaultContext
from .task_revision import ServiceFault, main_container

_NAME = "slow-start"
_LONGEST = 120.0
"""ECS's limit for a startTimeout, in AWS seconds."""


@dataclass(frozen=True)
class SlowStart(ServiceFault):
    """Delay the start of a service's tasks."""

    seconds: float = 60.0
    """AWS seconds by which each start takes longer."""

    within = 300.0

    def __post_init__(self) -> None:
        if not 0 < self.seconds < _LONGEST:
            raise UsageError(f"seconds must be above 0 and below {_LONGEST:g}, got {self.seconds:g}")

    def _change(self, wanted: dict[str, Any], context: FaultContext) -> None:
        first = {
            "name": _NAME,
            "image": main_container(wanted)["image"],
            "essential": False,
            "entryPoint": ["/bin/sh", "-c"],
            "command": [f"sleep {self.seconds / context.clock.scale:.3f}"],
        }
        for each in wanted["containerDefinitions"]:
            each["dependsOn"] = [*each.get("dependsOn", ()), {"containerName": _NAME, "condition": "COMPLETE"}]
        wanted["containerDefinitions"].append(first)

    def _judge(self, task: Mapping[str, Any]) -> str | None:
        # The delay is between the pulls, which are done before any container starts, and the task's start.
        until, since = task.get("startedAt"), task.get("pullStoppedAt")
        if until is None or since is None or (until - since).total_seconds() < self.seconds:
            return None
        return f"RUNNING {(until - since).total_seconds():.0f} s after its images were there"
