"""Capabilities of clouds, and how faithful they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum


class Level(StrEnum):
    """How a backend implements a capability."""

    NATIVE = "native"
    """The real thing: observations count fully."""
    MODELLED = "modelled"
    """An emulation: close, but not the real thing."""
    ABSENT = "absent"
    """Absent: scenarios that need it are skipped, with the reason, before anything is spent."""


MAIL_IN = "mail_in"
"""A mail can be sent to the stack's address."""
MAIL_REPLIES = "mail_replies"
"""The kit can read the replies."""
LOAD_BALANCER = "load_balancer"
"""HTTP reaches the services through the stack's load balancer."""
SCALING = "scaling"
"""Alarms and policies change the number of tasks, from zero and to zero."""
ECS_EXEC = "ecs_exec"
"""Commands run inside the containers."""
SHARED_WORKSPACE = "shared_workspace"
"""Files outlive the tasks that wrote them."""
METRICS = "metrics"
"""CloudWatch answers for the metrics that the system publishes."""
FAULT_TASK = "fault_task"
"""A task can be stopped, and the program in a container killed."""
FAULT_PAUSE = "fault_pause"
"""A task can be paused and resumed."""
FAULT_THROTTLE = "fault_throttle"
"""AWS calls can be throttled."""
FAULT_API = "fault_api"
"""AWS calls can be delayed or made to fail."""
FAULT_NETWORK = "fault_network"
"""One task can be cut off from AWS or the load balancer, or its connection be made slow or unreliable."""
FAULT_START = "fault_start"
"""Starting a service's tasks can be made to fail: no image, a program that exits at once, a slow start."""
FAULT_MEMORY = "fault_memory"
"""A container can be made to reach its memory limit."""
FAULT_CPU = "fault_cpu"
"""A container can be starved of CPU time."""
FAULT_DISK = "fault_disk"
"""The shared volume can be filled without harm to anything else."""
FAULT_UNPLUG = "fault_unplug"
"""A task's network can be disconnected."""
FAULT_EXPERIMENT = "fault_experiment"
"""Experiments of the Fault Injection Service can be run in the stack."""

MAIL_TO_PREVIEW = (MAIL_IN, MAIL_REPLIES, LOAD_BALANCER, SCALING, ECS_EXEC, SHARED_WORKSPACE, METRICS)
"""Everything from a mail to a page and a reply, its observation, and scaling back to zero."""
FAULTS = (
    *(FAULT_TASK, FAULT_PAUSE, FAULT_THROTTLE, FAULT_API, FAULT_NETWORK, FAULT_EXPERIMENT),
    *(FAULT_START, FAULT_MEMORY, FAULT_CPU, FAULT_DISK, FAULT_UNPLUG),
)
ALL = (*MAIL_TO_PREVIEW, *FAULTS)


def lacking(capabilities: Mapping[str, Level], needs: Iterable[str]) -> list[str]:
    """The absent ones of `needs`. Raises ValueError for an unknown capability."""
    unknown = [need for need in needs if need not in ALL]
    if unknown:
        raise ValueError(f"no such capability: {', '.join(unknown)}; there are {', '.join(ALL)}")
    return [need for need in needs if capabilities.get(need, Level.ABSENT) is Level.ABSENT]
