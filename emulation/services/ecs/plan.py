"""Decides how many tasks a service starts and which it stops, from the current state alone.

AWS does not document which tasks a scale-in stops. Here: tasks that are not running yet, then unhealthy ones, then the
newest of the availability zone with the most.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from .model import Service, Task

SETTLING = 40.0
"""AWS seconds that a task without a health check must run to count as healthy (ECS API reference,
DeploymentConfiguration.minimumHealthyPercent)."""


@dataclass(frozen=True)
class Decision:
    start: int = 0
    stop: tuple[tuple[Task, str], ...] = ()
    """Tasks with their `stoppedReason`."""
    unhealthy: tuple[Task, ...] = ()
    """The tasks of `stop` that failed a health check."""
    steady: bool = False
    again_at: float | None = None
    """AWS time at which the decision may change without an event."""


def healthy_at(task: Task) -> float | None:
    """When the task becomes or became healthy; None until its health checks pass."""
    if task.last_status != "RUNNING" or task.started_at is None:
        return None
    checked = list(task.checked())
    if any(each.health != "HEALTHY" for each in checked) or any(each.state != "healthy" for each in task.targets):
        return None
    return task.started_at if checked or task.targets else task.started_at + SETTLING


def illness(task: Task) -> str | None:
    """The `stoppedReason` of a task that fails a health check."""
    if task.health == "UNHEALTHY":
        return "Task failed container health checks"
    failing = next((each for each in task.targets if each.state == "unhealthy"), None)
    return None if failing is None else f"Task failed ELB health checks in (target-group {failing.group_arn})"


def decide(service: Service, tasks: Sequence[Task], now: float, *, grace: float | None = None) -> Decision:
    """`tasks` are the service's tasks that have not stopped; `grace` replaces its grace period, in AWS seconds."""
    wanted = service.wanted
    most = wanted * service.configuration["maximumPercent"] // 100
    least = math.ceil(wanted * service.configuration["minimumHealthyPercent"] / 100)
    later: list[float] = []
    alive = [task for task in tasks if task.wanted]
    ill = _ill(alive, (service.grace_period or 0.0) if grace is None else grace, now, later)
    current = [task for task in alive if task.deployment is service.primary]
    good = [task for task in current if task.id not in ill]
    healthy = {task.id for task in alive if task.id not in ill and _is_by(healthy_at(task), now, later)}
    failed = service.primary.rollout_state == "FAILED"

    scaling = f"Scaling activity initiated by (deployment {service.primary.id})"
    stop = [(task, scaling) for task in _scale_in_order(good, healthy)[: max(0, len(good) - wanted)]]
    if not failed or wanted == 0:
        stop += [(task, scaling) for task in _replaced(alive, service, healthy, least)]
    stopping = {task.id for task, _ in stop}
    room = most - (len(alive) - len(stop))
    needed = wanted - len(good)
    sick = [task for task in current if task.id in ill]
    if sum(task.id in healthy for task in good) < wanted:  # unhealthy tasks run until they are replaced
        sick = sick[: max(0, needed - room)]
    stop += [(task, ill[task.id]) for task in sick]
    room += len(sick)

    return Decision(
        start=0 if failed else max(0, min(needed, room)),
        stop=tuple(stop),
        unhealthy=tuple(sick),
        steady=len(tasks) == len(good) == len(healthy) == wanted and not stopping and not failed,
        again_at=min(later, default=None),
    )


def _ill(alive: Sequence[Task], grace: float, now: float, later: list[float]) -> dict[str, str]:
    ill = {}
    for task in alive:
        reason = illness(task)
        if reason is not None and _is_by((task.started_at or now) + grace, now, later):
            ill[task.id] = reason
    return ill


def _is_by(time: float | None, now: float, later: list[float]) -> bool:
    """Whether the time has come; a future time is added to `later`."""
    if time is not None and time > now:
        later.append(time)
    return time is not None and time <= now


def _replaced(alive: Sequence[Task], service: Service, healthy: set[str], least: int) -> list[Task]:
    """Tasks of earlier deployments to stop: all unhealthy ones, healthy ones while enough remain."""
    old = [task for task in alive if task.deployment is not service.primary]
    spare = max(0, len(healthy) - least)
    going = [task for task in old if task.id not in healthy]
    return going + [task for task in old if task.id in healthy][:spare]


def _scale_in_order(tasks: Sequence[Task], healthy: set[str]) -> list[Task]:
    zones = Counter(task.zone for task in tasks)
    left = list(tasks)
    order = []
    while left:
        going = min(left, key=lambda t: (t.last_status == "RUNNING", t.id in healthy, -zones[t.zone], -t.created_at))
        zones[going.zone] -= 1
        left.remove(going)
        order.append(going)
    return order
