"""The state of clusters, services and tasks. All times are AWS epoch seconds."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .task_definition import ContainerDefinition, TaskDefinition

STOPPED_TASKS_STAY = 3600.0
"""AWS seconds for which stopped tasks and inactive services can be described ("about an hour")."""

TRIES_AT_ONCE = 2
FIRST_DELAY = 15.0
LONGEST_DELAY = 27 * 60.0
"""AWS seconds; "up to a maximum of 27 minutes" (ECS developer guide, service throttle logic)."""

STARTING = frozenset({"PROVISIONING", "PENDING", "ACTIVATING"})


@dataclass
class Cluster:
    name: str
    arn: str
    status: str = "ACTIVE"
    settings: list[Any] = field(default_factory=lambda: [{"name": "containerInsights", "value": "disabled"}])
    configuration: Mapping[str, Any] | None = None
    capacity_providers: list[str] = field(default_factory=list)
    default_strategy: list[Any] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ServiceRevision:
    """What a deployment deploys: the part of a service whose change needs new tasks."""

    definition: TaskDefinition
    launch_type: str | None
    capacity_providers: tuple[Mapping[str, Any], ...]
    platform_version: str
    network: Mapping[str, Any] | None
    zones: tuple[tuple[str, str], ...]
    """(subnet, availability zone) of the network configuration."""
    load_balancers: tuple[Mapping[str, Any], ...]


@dataclass
class Deployment:
    id: str
    """`ecs-svc/` and 19 digits; also `startedBy` of its tasks."""
    revision: ServiceRevision
    created_at: float
    updated_at: float
    status: str = "PRIMARY"
    rollout_state: str = "IN_PROGRESS"
    rollout_reason: str = ""
    failed_tasks: int = 0
    """Consecutive failures, as the circuit breaker counts them."""


@dataclass(frozen=True)
class ServiceEvent:
    id: str
    created_at: float
    message: str


@dataclass
class Backoff:
    """The service throttle logic: the delay doubles with each consecutive failure after the second.

    AWS documents only the longest delay.
    """

    failures: int = 0
    until: float = 0.0
    """AWS time before which no task is started."""

    @property
    def throttling(self) -> bool:
        return self.failures > TRIES_AT_ONCE

    def failed(self, now: float) -> None:
        self.failures += 1
        if self.throttling:
            doublings = min(self.failures - TRIES_AT_ONCE - 1, 16)
            self.until = now + min(FIRST_DELAY * 2**doublings, LONGEST_DELAY)

    def reset(self) -> None:
        self.failures = 0
        self.until = 0.0


@dataclass
class Service:
    name: str
    arn: str
    cluster: Cluster
    created_at: float
    created_by: str
    desired_count: int
    deployments: list[Deployment]
    """The newest, which is PRIMARY, first."""
    configuration: Mapping[str, Any]
    """deploymentConfiguration with AWS's defaults."""
    grace_period: float | None
    settings: Mapping[str, Any]
    """Members whose change starts no new tasks: ECS Exec, tag propagation, placement and so on."""
    client_token: str | None = None
    status: str = "ACTIVE"
    inactive_at: float | None = None
    tags: dict[str, str] = field(default_factory=dict)
    events: deque[ServiceEvent] = field(default_factory=lambda: deque(maxlen=100))
    """The latest 100, the newest first."""
    backoff: Backoff = field(default_factory=Backoff)
    steady: bool = False
    last_completed: ServiceRevision | None = None
    reported: set[str] = field(default_factory=set)
    """Problems that are not reported again until they are solved."""

    @property
    def primary(self) -> Deployment:
        return self.deployments[0]

    @property
    def group(self) -> str:
        return f"service:{self.name}"

    @property
    def wanted(self) -> int:
        """How many tasks should run: none if the service is being deleted."""
        return self.desired_count if self.status == "ACTIVE" else 0


@dataclass
class Container:
    definition: ContainerDefinition
    arn: str
    image: str
    runtime_id: str = ""
    image_digest: str | None = None
    last_status: str = "PENDING"
    exit_code: int | None = None
    reason: str | None = None
    health: str = "UNKNOWN"
    started_at: float | None = None
    agent_at: float | None = None
    """When ECS Exec's agent connected."""
    finished_at: float | None = None
    bindings: list[Any] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.definition.name


@dataclass
class Target:
    """A task's registration in a target group, with its last reported health."""

    group_arn: str
    id: str
    port: int
    state: str = "initial"
    reason: str | None = None


@dataclass
class Attachment:
    """The task's network interface."""

    id: str
    interface_id: str
    subnet: str
    mac: str
    status: str = "PRECREATED"
    address: str | None = None


@dataclass
class Task:
    id: str
    arn: str
    cluster: Cluster
    definition: TaskDefinition
    group: str
    started_by: str | None
    launch_type: str
    capacity_provider: str | None
    platform_version: str
    enable_execute_command: bool
    zone: str
    attachment: Attachment | None
    overrides: Mapping[str, Any]
    containers: list[Container]
    created_at: float
    network: Mapping[str, Any] | None = None
    """The network configuration of its start."""
    load_balancers: tuple[Mapping[str, Any], ...] = ()
    service: Service | None = None
    deployment: Deployment | None = None
    tags: dict[str, str] = field(default_factory=dict)
    last_status: str = "PROVISIONING"
    desired_status: str = "RUNNING"
    version: int = 1
    connected_at: float | None = None
    pull_started_at: float | None = None
    pull_stopped_at: float | None = None
    started_at: float | None = None
    stopping_at: float | None = None
    execution_stopped_at: float | None = None
    stopped_at: float | None = None
    stop_code: str | None = None
    stopped_reason: str | None = None
    targets: list[Target] = field(default_factory=list)

    @property
    def wanted(self) -> bool:
        """False once it is being stopped."""
        return self.desired_status == "RUNNING"

    @property
    def labels(self) -> dict[str, str]:
        """The labels that the container agent gives all containers of the task."""
        return {
            "com.amazonaws.ecs.cluster": self.cluster.arn,
            "com.amazonaws.ecs.task-arn": self.arn,
            "com.amazonaws.ecs.task-definition-family": self.definition.family,
            "com.amazonaws.ecs.task-definition-version": str(self.definition.revision),
        }

    @property
    def size(self) -> tuple[float, float]:
        """(vCPUs, MiB): the task size, or the sum of its containers' sizes."""
        settings = {**self.definition.raw, **self.overrides}
        cpu = settings.get("cpu") or sum(each.definition.raw.get("cpu", 0) for each in self.containers)
        memory = settings.get("memory") or sum(_memory(each.definition) for each in self.containers)
        return float(cpu) / 1024, float(memory)

    @property
    def health(self) -> str:
        """The worst health of its essential containers with a health check; UNKNOWN without any."""
        states = {each.health for each in self.checked()}
        return next((state for state in ("UNHEALTHY", "UNKNOWN", "HEALTHY") if state in states), "UNKNOWN")

    def checked(self) -> Iterator[Container]:
        """Its essential containers with a health check."""
        return (each for each in self.containers if each.definition.essential and each.definition.health_check)

    def container_override(self, name: str) -> Mapping[str, Any]:
        overrides = self.overrides.get("containerOverrides", ())
        return next((each for each in overrides if each.get("name") == name), {})


def _memory(container: ContainerDefinition) -> int:
    return int(container.raw.get("memory") or container.raw.get("memoryReservation") or 0)
