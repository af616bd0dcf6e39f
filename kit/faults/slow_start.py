"""Tasks of a service take long to start: work and requests are there before there is anybody.

    task --> container "slow-start" sleeps --> COMPLETE --> the service's own container

The same in every cloud: a revision of the task definition with a container before the others, which depend on it.
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

_NAME = "slow-start"
_LONGEST = 120.0
"""What ECS takes for a startTimeout, in AWS seconds."""


@dataclass(frozen=True)
class SlowStart:
    """Let a service's tasks start late."""

    service: str
    """hermes or edit."""
    seconds: float = 60.0
    """AWS seconds by which each start takes longer."""

    needs: ClassVar[tuple[str, ...]] = (FAULT_START,)
    visibility: ClassVar[Visibility] = Visibility.BY_USE
    within: ClassVar[float] = 300.0

    def __post_init__(self) -> None:
        if not 0 < self.seconds < _LONGEST:
            raise UsageError(f"seconds must be above 0 and below {_LONGEST:g}, got {self.seconds:g}")

    @property
    def target(self) -> str:
        return self.service

    async def inject(self, context: FaultContext) -> Effect:
        def change(wanted: dict[str, Any]) -> None:
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

        def judge(task: Mapping[str, Any]) -> str | None:
            # Its own container has waited: the task could have run so much earlier.
            until = task.get("startedAt")
            since = task.get("pullStoppedAt")
            if until is None or since is None or (until - since).total_seconds() < self.seconds:
                return None
            return f"RUNNING {(until - since).total_seconds():.0f} s after its images were there"

        return await TaskRevision.inject(context, self.service, change, judge)
