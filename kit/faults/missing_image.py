"""A service's image cannot be pulled: none of its tasks starts.

    task --pull--X    CannotPullContainerError, TaskFailedToStart, again and again; ECS waits longer each time:
                      "(service …) is unable to consistently start tasks successfully."

The same in every cloud: a revision of the task definition whose image has a tag that does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .context import FaultContext
from .task_revision import ServiceFault, main_container

_REASON = "CannotPullContainerError"


@dataclass(frozen=True)
class MissingImage(ServiceFault):
    """Make a service's image unavailable."""

    def _change(self, wanted: dict[str, Any], context: FaultContext) -> None:
        container = main_container(wanted)
        container["image"] = f"{_repository(container['image'])}:never-made-{context.ids.marker()}"

    def _judge(self, task: Mapping[str, Any]) -> str | None:
        reason: str = task.get("stoppedReason", "")
        return reason[:300] if task.get("stopCode") == "TaskFailedToStart" and reason.startswith(_REASON) else None


def _repository(image: str) -> str:
    """An image's name without its tag and digest."""
    name = image.partition("@")[0]
    path, _, last = name.rpartition("/")
    last = last.partition(":")[0]
    return f"{path}/{last}" if path else last
