"""Which container ECS Exec may enter."""

from __future__ import annotations

from ...core.errors import AwsError
from .errors import invalid
from .exec import ExecTarget
from .scheduler import Scheduler
from .store import Store

_NOT_ENABLED = (
    "The execute command failed because execute command was not enabled when the task was run or the execute command "
    "agent isn’t running. Wait and try again or run a new task with execute command enabled and try again."
)


class ExecTargets:
    """`emulation.ecs.exec.Targets`, told from the tasks that run."""

    def __init__(self, store: Store, scheduler: Scheduler) -> None:
        self._store = store
        self._scheduler = scheduler

    def exec_target(self, cluster: str | None, task: str, container: str | None) -> ExecTarget:
        found = self._store.task(self._store.cluster(cluster), task)
        if container is None and len(found.containers) > 1:
            raise invalid("A container name must be specified for a task that has more than one container.")
        chosen = next((each for each in found.containers if container in (None, each.name)), None)
        if chosen is None:
            raise invalid(f"The container {container} was not found in the task.")
        if not found.enable_execute_command or found.last_status != "RUNNING":
            raise invalid(_NOT_ENABLED)
        running = self._scheduler.running(found, chosen.name)
        if running is None:
            raise AwsError(
                "TargetNotConnectedException",
                "The execute command failed due to an internal error. Try again later.",
            )
        settings = (found.cluster.configuration or {}).get("executeCommandConfiguration", {})
        return ExecTarget(
            found.cluster.arn, found.arn, chosen.arn, chosen.name, running.terminal, settings.get("kmsKeyId") or None
        )
