"""The callers that a fault applies to: everyone, all tasks, the tasks of one service, or one task."""

from __future__ import annotations

from ..core.controller import Caller, Events, TaskChanged
from .fault import FaultRefused

EVERYONE, TASKS = "everyone", "tasks"


class Groups:
    """The group (`service:<name>`) of each task, while the task can make calls."""

    def __init__(self, events: Events) -> None:
        self._groups: dict[str, str] = {}
        events.subscribe(TaskChanged, self._changed)

    def concerns(self, callers: str, caller: Caller) -> bool:
        """Whether a caller is one of `callers`."""
        if callers == EVERYONE:
            return True
        if caller.kind != "task":
            return False
        return callers in (TASKS, caller.name, self._groups.get(caller.name))

    def known(self, task: str) -> bool:
        """Whether a task has been started and has not stopped."""
        return task in self._groups

    def _changed(self, news: TaskChanged) -> None:
        if news.last_status == "STOPPED":
            self._groups.pop(news.task_arn, None)
        else:
            self._groups[news.task_arn] = news.group


def check(callers: str) -> None:
    """Raises `FaultRefused` for text that names no callers."""
    if callers not in (EVERYONE, TASKS) and not callers.startswith(("service:", "arn:")):
        raise FaultRefused(
            f"callers must be {EVERYONE!r}, {TASKS!r}, 'service:<name of an ECS service>' or a task's ARN, "
            f"got {callers!r}"
        )
