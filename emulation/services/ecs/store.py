"""Stores clusters, task definitions, services and tasks, and finds them by identifier."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ...core.errors import AwsError
from ...time.clock import Clock
from .errors import client_error, invalid
from .model import STARTING, STOPPED_TASKS_STAY, Cluster, Service, Task
from .names import Names
from .task_definition import TaskDefinition


@dataclass
class Store:
    names: Names
    clock: Clock
    clusters: dict[str, Cluster] = field(default_factory=dict)
    definitions: dict[str, list[TaskDefinition]] = field(default_factory=dict)
    """By family; revision n is at index n - 1."""
    _services: dict[tuple[str, str], Service] = field(default_factory=dict)
    _tasks: dict[str, Task] = field(default_factory=dict)

    def cluster(self, identifier: str | None) -> Cluster:
        """Raises ClusterNotFoundException, also for a deleted one."""
        cluster = self.find_cluster(identifier)
        if cluster is None or cluster.status != "ACTIVE":
            raise AwsError("ClusterNotFoundException", "Cluster not found.")
        return cluster

    def find_cluster(self, identifier: str | None) -> Cluster | None:
        return self.clusters.get(self.names.cluster_name(identifier))

    def definition(self, identifier: str) -> TaskDefinition | None:
        """A revision; for a bare family, its latest active one."""
        family, revision = self.names.definition(identifier)
        revisions = self.definitions.get(family, [])
        if revision is None:
            return next((each for each in reversed(revisions) if each.status == "ACTIVE"), None)
        return revisions[revision - 1] if 0 < revision <= len(revisions) else None

    def usable_definition(self, identifier: str) -> TaskDefinition:
        """An active task definition. Raises ClientException."""
        definition = self.definition(identifier)
        if definition is None:
            raise client_error("TaskDefinition not found.")
        if definition.status != "ACTIVE":
            raise client_error("TaskDefinition is inactive")
        return definition

    def add_service(self, service: Service) -> None:
        self._services[service.cluster.name, service.name] = service

    def services(self, cluster: Cluster | None = None) -> list[Service]:
        """All services except inactive ones."""
        return [
            each
            for each in self._services.values()
            if each.status != "INACTIVE" and (cluster is None or each.cluster is cluster)
        ]

    def find_service(self, cluster: Cluster, identifier: str) -> Service | None:
        """Finds inactive services too, for about an hour."""
        key = cluster.name, self.names.service_name(identifier, cluster.name)
        service = self._services.get(key)
        if service is not None and service.inactive_at is not None and self._is_long_ago(service.inactive_at):
            del self._services[key]
            return None
        return service

    def service(self, cluster: Cluster, identifier: str) -> Service:
        """Raises ServiceNotFoundException, ServiceNotActiveException."""
        service = self.find_service(cluster, identifier)
        if service is None:
            raise AwsError("ServiceNotFoundException", "Service not found.")
        if service.status != "ACTIVE":
            raise AwsError("ServiceNotActiveException", "Service was not ACTIVE.")
        return service

    def add_task(self, task: Task) -> None:
        self._forget_old_tasks()
        self._tasks[task.id] = task

    def tasks(self, cluster: Cluster | None = None) -> Iterator[Task]:
        """All tasks that can be described, in order of creation."""
        self._forget_old_tasks()
        return (each for each in self._tasks.values() if cluster is None or each.cluster is cluster)

    def tasks_of(self, service: Service) -> list[Task]:
        """The service's tasks that are not STOPPED."""
        return [each for each in self._tasks.values() if each.service is service and each.last_status != "STOPPED"]

    def find_task(self, cluster: Cluster, identifier: str) -> Task | None:
        self._forget_old_tasks()
        task = self._tasks.get(self.names.task_id(identifier, cluster.name))
        return task if task is not None and task.cluster is cluster else None

    def task(self, cluster: Cluster, identifier: str) -> Task:
        """Raises InvalidParameterException."""
        task = self.find_task(cluster, identifier)
        if task is None:
            raise invalid("The referenced task was not found.")
        return task

    def task_by_runtime_id(self, runtime_id: str) -> Task | None:
        return next((t for t in self._tasks.values() if any(c.runtime_id == runtime_id for c in t.containers)), None)

    def counts(self, cluster: Cluster) -> tuple[int, int]:
        """(running, pending) tasks."""
        states = [each.last_status for each in self._tasks.values() if each.cluster is cluster]
        return states.count("RUNNING"), sum(state in STARTING for state in states)

    def _forget_old_tasks(self) -> None:
        for task in list(self._tasks.values()):
            if task.stopped_at is not None and self._is_long_ago(task.stopped_at):
                del self._tasks[task.id]

    def _is_long_ago(self, time: float) -> bool:
        return self.clock.now() - time > STOPPED_TASKS_STAY

    def tags_of(self, arn: str) -> dict[str, str]:
        """The tags of a cluster, service, task or task definition. Raises InvalidParameterException."""
        found: Cluster | Service | Task | TaskDefinition | None = None
        if not arn.startswith("arn:"):
            raise invalid("Invalid arn syntax.")
        kind = arn.split(":", 5)[-1].split("/", 1)[0]
        if kind == "cluster":
            found = self.find_cluster(arn)
        elif kind == "service":
            found = next((each for each in self.services() if each.arn == arn), None)
        elif kind == "task":
            found = next((each for each in self._tasks.values() if each.arn == arn), None)
        elif kind == "task-definition":
            found = self.definition(arn)
        if found is None:
            raise invalid("The specified resource was not found. Specify a valid resource and try again.")
        return found.tags
