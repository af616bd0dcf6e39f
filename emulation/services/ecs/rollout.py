"""Deployments: how a new one begins, when it is complete, when it has failed."""

from __future__ import annotations

import math

from ...core.ids import Ids
from ...time.clock import Clock
from .model import Deployment, Service, ServiceRevision, Task

_BREAKER_PERCENT = 50
_BREAKER_BOUNDS = (3, 200)
"""The circuit breaker trips at half the desired count, at least 3 and at most 200 failed tasks (ECS API reference)."""
FIRST_MOMENTS = 1.0
"""Wall seconds, because a program starts in wall time; see `failed_to_start`."""
_KILLED = frozenset({128 + 9, 128 + 15})


def new_deployment(clock: Clock, ids: Ids, revision: ServiceRevision) -> Deployment:
    now = clock.now()
    digits = int(ids.hex(16), 16) % 10**19
    deployment = Deployment(f"ecs-svc/{digits:019d}", revision, now, now)
    deployment.rollout_reason = f"ECS deployment {deployment.id} in progress."
    return deployment


def deploy(service: Service, deployment: Deployment) -> None:
    """Make it the service's PRIMARY one; the others are replaced by it."""
    for earlier in service.deployments:
        earlier.status = "ACTIVE"
    service.deployments.insert(0, deployment)
    service.backoff.reset()
    service.said.clear()
    service.steady = False


def complete(service: Service, now: float) -> bool:
    """Its tasks are all there and well. Whether this is news."""
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
    """How many failed tasks fail the deployment; None when the circuit breaker is off."""
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
    """A task of the primary deployment failed. Whether the circuit breaker trips."""
    primary = service.primary
    if task.deployment is not primary or primary.rollout_state != "IN_PROGRESS":
        return False
    primary.failed_tasks += 1
    threshold = breaker_threshold(service)
    return threshold is not None and primary.failed_tasks >= threshold


def failed_to_start(task: Task, scale: float) -> bool:
    """Whether the service throttle counts the end of this task.

    AWS counts tasks that never reached RUNNING. There a task takes tens of seconds to get that far, which alone keeps
    a program that exits at once from being restarted in a tight loop. Here it takes milliseconds, so a program that
    ends by itself in its first moments counts too; one that was killed does not.
    """
    if task.stop_code == "TaskFailedToStart":
        return True
    if task.stop_code != "EssentialContainerExited":
        return False
    return task.started_at is None or not (survived(task, scale) or _was_killed(task))


def survived(task: Task, scale: float) -> bool:
    """Whether it ran for longer than its first moments."""
    if task.started_at is None or task.stopping_at is None:
        return False
    return task.stopping_at - task.started_at >= FIRST_MOMENTS * scale


def _was_killed(task: Task) -> bool:
    return any(each.exit_code in _KILLED for each in task.containers if each.definition.essential)
