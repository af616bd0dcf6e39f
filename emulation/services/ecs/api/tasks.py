"""Task operations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ....core.controller import Call, Context
from ....core.errors import AwsError
from .. import serializers
from ..errors import invalid, not_emulated
from ..model import Cluster, ServiceRevision, Task
from ..placement import LaunchRequest
from ..scheduler import Scheduler
from ..store import Store
from .fargate import check_size, cpu_units, memory_mib
from .listing import described, page
from .revisions import ServiceRevisions
from .tags import parse_tags

_STARTED_AT_ONCE = 10
_LONGEST_STARTED_BY = 128
_LONGEST_REASON = 1024
_TOKENS_KEPT = 1_000


class Tasks:
    def __init__(self, ctx: Context, store: Store, scheduler: Scheduler) -> None:
        self._store = store
        self._scheduler = scheduler
        self._revisions = ServiceRevisions(store, ctx.aws)
        self._by_token: dict[str, tuple[str, list[Task]]] = {}
        """clientToken → (the request, the tasks it started)."""

    async def run_task(self, call: Call) -> dict[str, Any]:
        params = call.params
        cluster = self._store.cluster(params.get("cluster"))
        count = params.get("count", 1)
        if not 1 <= count <= _STARTED_AT_ONCE:
            raise invalid(f"Invalid count. It must be between 1 and {_STARTED_AT_ONCE}.")
        if len(params.get("startedBy", "")) > _LONGEST_STARTED_BY:
            raise invalid(f"startedBy must be at most {_LONGEST_STARTED_BY} characters.")
        if params.get("group", "").startswith("service:"):
            raise invalid("Invalid group. The prefix service: is reserved for services.")
        revision = await self._revisions.of(cluster, params)
        if revision.launch_type == "EC2":
            raise invalid("No Container Instances were found in your cluster.")
        overrides = _checked_overrides(revision, params.get("overrides", {}))
        if (before := self._started_before(params)) is not None:
            return {"tasks": [serializers.task(each, with_tags=True) for each in before], "failures": []}
        request = LaunchRequest(
            cluster=cluster,
            revision=revision,
            group=params.get("group") or f"family:{revision.definition.family}",
            started_by=params.get("startedBy"),
            execute_command=params.get("enableExecuteCommand", False),
            overrides=overrides,
            tags=_tags(cluster, revision, params),
        )
        tasks = [self._scheduler.launch(request) for _ in range(count)]
        if token := params.get("clientToken"):
            self._by_token[token] = (_fingerprint(params), tasks)
            for old in list(self._by_token)[:-_TOKENS_KEPT]:
                del self._by_token[old]
        return {"tasks": [serializers.task(each, with_tags=True) for each in tasks], "failures": []}

    async def stop_task(self, call: Call) -> dict[str, Any]:
        cluster = self._store.cluster(call.params.get("cluster"))
        task = self._store.task(cluster, call.params["task"])
        reason = call.params.get("reason") or "Task stopped by user"
        if len(reason) > _LONGEST_REASON:
            raise invalid(f"reason must be at most {_LONGEST_REASON} characters.")
        self._scheduler.stop_task(task, "UserInitiated", reason)
        return {"task": serializers.task(task)}

    async def describe_tasks(self, call: Call) -> dict[str, Any]:
        cluster = self._store.cluster(call.params.get("cluster"))
        with_tags = "TAGS" in call.params.get("include", ())
        tasks, failures = [], []
        for identifier in described(call.params, "tasks", most=100):
            task = self._store.find_task(cluster, identifier)
            if task is not None:
                tasks.append(serializers.task(task, with_tags=with_tags))
            else:
                task_id = self._store.names.task_id(identifier, cluster.name)
                failures.append(serializers.missing(self._store.names.arn(f"task/{cluster.name}/{task_id}")))
        return {"tasks": tasks, "failures": failures}

    async def list_tasks(self, call: Call) -> dict[str, Any]:
        params = call.params
        cluster = self._store.cluster(params.get("cluster"))
        service = params.get("serviceName")
        if service is not None and self._store.find_service(cluster, service) is None:
            raise AwsError("ServiceNotFoundException", "Service not found.")
        desired = params.get("desiredStatus", "RUNNING")
        if desired not in ("RUNNING", "PENDING", "STOPPED"):
            raise invalid("desiredStatus must be RUNNING, PENDING or STOPPED.")
        if params.get("containerInstance"):
            raise invalid("Container instance not found.")
        group = service and f"service:{self._store.names.service_name(service, cluster.name)}"
        arns = [
            task.arn
            for task in self._store.tasks(cluster)
            if desired == task.desired_status
            and params.get("family") in (None, task.definition.family)
            and params.get("startedBy") in (None, task.started_by)
            and params.get("launchType") in (None, task.launch_type)
            and group in (None, task.group)
        ]
        return page(arns, params, "taskArns")

    def _started_before(self, params: Mapping[str, Any]) -> list[Task] | None:
        """The tasks that the same request started earlier. Raises ConflictException for a reused client token."""
        request, tasks = self._by_token.get(params.get("clientToken") or "", (None, []))
        if request is None:
            return None
        if request != _fingerprint(params):
            raise AwsError(
                "ConflictException",
                "The request could not be processed because of conflict in the current state of the resource: the "
                "client token was used with other parameters.",
                resourceIds=[each.arn for each in tasks],
            )
        return tasks


def _checked_overrides(revision: ServiceRevision, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Raises InvalidParameterException for containers that the task definition lacks."""
    checked = dict(overrides)
    for each in overrides.get("containerOverrides", ()):
        name = each.get("name")
        if not name:
            raise invalid("Container override name cannot be empty.")
        if revision.definition.container(name) is None:
            raise invalid(f"Override for container named {name} is not a container in the TaskDefinition.")
        if each.get("environmentFiles") or each.get("resourceRequirements"):
            raise not_emulated("a container override with environmentFiles or resourceRequirements")
    if "cpu" in checked:
        checked["cpu"] = str(cpu_units(checked["cpu"]))
    if "memory" in checked:
        checked["memory"] = str(memory_mib(checked["memory"]))
    if "cpu" in checked or "memory" in checked:
        size = {**revision.definition.raw, **checked}
        check_size(int(size["cpu"]), int(size["memory"]))
    return checked


def _tags(cluster: Cluster, revision: ServiceRevision, params: Mapping[str, Any]) -> dict[str, str]:
    tags = parse_tags(params.get("tags", ()))
    if params.get("propagateTags") == "TASK_DEFINITION":
        tags = {**revision.definition.tags, **tags}
    if params.get("enableECSManagedTags"):
        tags["aws:ecs:clusterName"] = cluster.name
    return tags


def _fingerprint(params: Mapping[str, Any]) -> str:
    return json.dumps(params, sort_keys=True, default=str)
