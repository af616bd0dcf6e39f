"""Deployments: start, completion, circuit breaker."""

from __future__ import annotations

import math

from ...core.ids import Ids
from ...time.clock import Clock
from .model import Deployment, Service, ServiceRevision, Task

_BREAKER_PERCENT = 50
_BREAKER_BOUNDS = (3, 200)
"""The circuit breaker trips at half the desired count, at least 3 and at most 200 failed tasks (ECS API reference)."""
FIRST_MOMENTS = 1.0
"""Wall seconds, because programs start in wall time; see `failed_to_start`."""
_KILLED = frozenset({128 + 9, 128 + 15})


def new_deployment(clock: Clock, ids: Ids, revision: ServiceRevision) -> Deployment:
    now = clock.now()
    digits = int(ids.hex(16), 16) % 10**19
    deployment = Deployment(f"ecs-svc/{digits:019d}", revision, now, now)
    deployment.rollout_reason = f"ECS deployment {deployment.id} in progress."
    return deployment


def deploy(service: Service, deployment: Deployment) -> None:
    """Make it the service's PRIMARY deployment, which replaces the others."""
    for earlier in service.deployments:
        earlier.status = "ACTIVE"
    service.deployments.insert(0, deployment)
    service.backoff.reset()
    service.reported.clear()
    service.steady = False


def complete(service: Service, now: float) -> bool:
    """Complete the primary deployment; False if it already was."""
    primary = service.primary
    if primary.rollout_state != "IN_PROGRESS":
        return False
    primary.rollout_state = "COMPLETED"
    primary.rollout_reason = f"ECS deployment {primary.id} completed."
    primary.failed_tasks = 0
    primary.updated_at = now
    service.last_completed = primary.revision
    return True


def breaker_threshold(service: Service) -> int | None:
    """How many failed tasks trip the circuit breaker; None when it is off."""
    breaker = service.configuration["deploymentCircuitBreaker"]
    if not breaker["enable"]:
        return None
    limit = breaker.get("thresholdConfiguration", {"type": "BOUNDED_PERCENT", "value": _BREAKER_PERCENT})
    if limit["type"] == "COUNT":
        return int(limit["value"])
    share: int = math.ceil(service.desired_count * limit["value"] / 100)
    if limit["type"] == "UNBOUNDED_PERCENT":
        return max(1, share)
    least, most = _BREAKER_BOUNDS
    return min(max(share, least), most)


def count_failure(service: Service, task: Task) -> bool:
    """Count a failed task; True if the circuit breaker trips."""
    primary = service.primary
    if task.deployment is not primary or primary.rollout_state != "IN_PROGRESS":
        return False
    primary.failed_tasks += 1
    threshold = breaker_threshold(service)
    return threshold is not None and primary.failed_tasks >= threshold


def failed_to_start(task: Task, scale: float) -> bool:
    """Whether the service throttle counts the end of this task.

    AWS counts tasks that never reached RUNNING, which there takes tens of seconds and so prevents tight restart loops.
    Here it takes milliseconds, so a program that exits in its first moments counts too, unless it was killed.
    """
    if task.stop_code == "TaskFailedToStart":
        return True
    if task.stop_code != "EssentialContainerExited":
        return False
    return task.started_at is None or not (survived(task, scale) or _was_killed(task))


def survived(task: Task, scale: float) -> bool:
    """Whether it ran longer than `FIRST_MOMENTS`."""
    if task.started_at is None or task.stopping_at is None:
        return False
    return task.stopping_at - task.started_at >= FIRST_MOMENTS * scale


def _was_killed(task: Task) -> bool:
    return any(each.exit_code in _KILLED for each in task.containers if each.definition.essential)
