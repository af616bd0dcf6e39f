"""The image of a service is not to be had: no task of it starts, however often it is tried.

    task --pull--X    CannotPullContainerError, TaskFailedToStart, again and again; ECS waits longer each time:
                      "(service …) is unable to consistently start tasks successfully."

The same in every cloud: a revision of the task definition whose image has a tag that nobody made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..backends.capability import FAULT_START
from .context import FaultContext
from .fault import Effect, Visibility
from .task_revision import TaskRevision, main_container

_REASON = "CannotPullContainerError"


@dataclass(frozen=True)
class MissingImage:
    """Let a service's image be missing."""

    service: str
    """hermes or edit."""

    needs: ClassVar[tuple[str, ...]] = (FAULT_START,)
    visibility: ClassVar[Visibility] = Visibility.BY_USE
    within: ClassVar[float] = 240.0

    @property
    def target(self) -> str:
        return self.service

    async def inject(self, context: FaultContext) -> Effect:
        def change(wanted: dict[str, Any]) -> None:
            container = main_container(wanted)
            container["image"] = f"{_repository(container['image'])}:never-made-{context.ids.marker()}"

        return await TaskRevision.inject(context, self.service, change, _judge)


def _judge(task: Mapping[str, Any]) -> str | None:
    reason: str = task.get("stoppedReason", "")
    return reason[:300] if task.get("stopCode") == "TaskFailedToStart" and reason.startswith(_REASON) else None


def _repository(image: str) -> str:
    """An image's name without its tag and digest."""
    name = image.partition("@")[0]
    path, _, last = name.rpartition("/")
    last = last.partition(":")[0]
    return f"{path}/{last}" if path else last
