"""Finds the container of an ExecuteCommand call."""

from __future__ import annotations

from dataclasses import dataclass

from ...core.errors import AwsError
from .errors import invalid
from .exec import ExecTarget
from .scheduler import Scheduler
from .store import Store

_NOT_ENABLED = (
    "The execute command failed because execute command was not enabled when the task was run or the execute command "
    "agent isn’t running. Wait and try again or run a new task with execute command enabled and try again."
)


@dataclass(frozen=True)
class ExecTargets:
    """An `ExecTargetResolver` over the running tasks."""

    store: Store
    scheduler: Scheduler

    def exec_target(self, cluster: str | None, task: str, container: str | None) -> ExecTarget:
        found = self.store.task(self.store.cluster(cluster), task)
        if container is None and len(found.containers) > 1:
            raise invalid("A container name must be specified for a task that has more than one container.")
        target = next((each for each in found.containers if container in (None, each.name)), None)
        if target is None:
            raise invalid(f"The container {container} was not found in the task.")
        if not found.enable_execute_command or found.last_status != "RUNNING" or target.agent_at is None:
            raise invalid(_NOT_ENABLED)
        running = self.scheduler.containers(found.arn).get(target.name)
        if running is None:
            raise AwsError(
                "TargetNotConnectedException",
                "The execute command failed due to an internal error. Try again later.",
            )
        settings = (found.cluster.configuration or {}).get("executeCommandConfiguration", {})
        kms_key_id = settings.get("kmsKeyId") or None
        return ExecTarget(
            found.cluster.arn, found.arn, target.arn, target.name, running.terminal, found.group, kms_key_id
        )
