"""Task operations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ....core.controller import Call, Context, Handler
from ....core.errors import AwsError
from .. import serializers
from ..model import Cluster, ServiceRevision, Task
from ..names import invalid
from ..paging import page
from ..placement import LaunchRequest
from ..scheduler import Scheduler
from ..store import Store
from .fargate import check_size, cpu_units, memory_mib
from .revisions import ServiceRevisions
from .tags import parse_tags

_STARTED_AT_ONCE = 10
_DESCRIBED_AT_ONCE = 100
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

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "DescribeTasks": self.describe,
            "ListTasks": self.list_tasks,
            "RunTask": self.run,
            "StopTask": self.stop,
        }

    async def run(self, call: Call) -> dict[str, Any]:
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

    async def stop(self, call: Call) -> dict[str, Any]:
        cluster = self._store.cluster(call.params.get("cluster"))
        task = self._store.task(cluster, call.params["task"])
        reason = call.params.get("reason") or "Task stopped by user"
        if len(reason) > _LONGEST_REASON:
            raise invalid(f"reason must be at most {_LONGEST_REASON} characters.")
        self._scheduler.stop_task(task, "UserInitiated", reason)
        return {"task": serializers.task(task)}

    async def describe(self, call: Call) -> dict[str, Any]:
        identifiers = call.params["tasks"]
        cluster = self._store.cluster(call.params.get("cluster"))
        if not identifiers:
            raise invalid("Tasks cannot be empty.")
        if len(identifiers) > _DESCRIBED_AT_ONCE:
            raise invalid(f"Tasks cannot have more than {_DESCRIBED_AT_ONCE} elements.")
        with_tags = "TAGS" in call.params.get("include", ())
        tasks, failures = [], []
        for identifier in identifiers:
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
        wanted = {
            "desired": params.get("desiredStatus", "RUNNING"),
            "family": params.get("family"),
            "started_by": params.get("startedBy"),
            "launch_type": params.get("launchType"),
            "group": service and f"service:{self._store.names.service_name(service, cluster.name)}",
        }
        if wanted["desired"] not in ("RUNNING", "PENDING", "STOPPED"):
            raise invalid("desiredStatus must be RUNNING, PENDING or STOPPED.")
        if params.get("containerInstance"):
            raise invalid("Container instance not found.")
        arns = [each.arn for each in self._store.tasks(cluster) if _matches(each, wanted)]
        return page(arns, params, "taskArns")

    def _started_before(self, params: Mapping[str, Any]) -> list[Task] | None:
        """What this very request started before. Raises ConflictException when its token was used for another."""
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


def _matches(task: Task, wanted: Mapping[str, str | None]) -> bool:
    seen = {
        "desired": task.desired_status,
        "family": task.definition.family,
        "started_by": task.started_by,
        "launch_type": task.launch_type,
        "group": task.group,
    }
    return all(value is None or seen[name] == value for name, value in wanted.items())


def _checked_overrides(revision: ServiceRevision, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Raises InvalidParameterException for what the task definition does not have."""
    checked = dict(overrides)
    for each in overrides.get("containerOverrides", ()):
        name = each.get("name")
        if not name:
            raise invalid("Container override name cannot be empty.")
        if revision.definition.container(name) is None:
            raise invalid(f"Override for container named {name} is not a container in the TaskDefinition.")
        if each.get("environmentFiles") or each.get("resourceRequirements"):
            raise AwsError("NotImplemented", "environmentFiles and resourceRequirements are not emulated.", status=501)
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
