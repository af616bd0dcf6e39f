"""The task metadata endpoint, version 4.

A container gets the URL in ECS_CONTAINER_METADATA_URI_V4; `…/task` below it describes the whole task.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from .logs import LogTarget
from .model import Container, Task
from .serializers import present
from .store import Store


@dataclass(frozen=True)
class Metadata:
    """Serves `/v4/<runtime id>`; S3 buckets cannot collide with it, as their names have at least three characters."""

    store: Store

    def web_routes(self) -> Iterable[web.RouteDef]:
        return [web.get("/v4/{runtime_id}", self._container), web.get("/v4/{runtime_id}/task", self._task)]

    async def _container(self, request: web.Request) -> web.Response:
        runtime_id = request.match_info["runtime_id"]
        task = self._task_of(runtime_id)
        container = next(each for each in task.containers if each.runtime_id == runtime_id)
        return web.json_response(container_metadata(task, container))

    async def _task(self, request: web.Request) -> web.Response:
        return web.json_response(task_metadata(self._task_of(request.match_info["runtime_id"])))

    def _task_of(self, runtime_id: str) -> Task:
        task = self.store.task_by_runtime_id(runtime_id)
        if task is None:
            raise web.HTTPNotFound(text=f"unable to get container arn from request: unknown container {runtime_id}")
        return task


def task_metadata(task: Task) -> dict[str, Any]:
    vcpus, memory = task.size
    return present(
        {
            "Cluster": task.cluster.arn,
            "TaskARN": task.arn,
            "Family": task.definition.family,
            "Revision": str(task.definition.revision),
            "ServiceName": task.service.name if task.service else None,
            "DesiredStatus": task.desired_status,
            "KnownStatus": task.last_status,
            "Limits": {"CPU": vcpus, "Memory": int(memory)},
            "PullStartedAt": _time(task.pull_started_at),
            "PullStoppedAt": _time(task.pull_stopped_at),
            "ExecutionStoppedAt": _time(task.execution_stopped_at),
            "AvailabilityZone": task.zone,
            "LaunchType": task.launch_type,
            "Containers": [container_metadata(task, each) for each in task.containers],
        }
    )


def container_metadata(task: Task, container: Container) -> dict[str, Any]:
    log = LogTarget.of(container.definition, task.id)
    address = task.attachment.address if task.attachment else None
    return present(
        {
            "DockerId": container.runtime_id,
            "Name": container.name,
            "DockerName": container.name,
            "Image": container.image,
            "ImageID": container.image_digest,
            "Labels": {**task.labels, "com.amazonaws.ecs.container-name": container.name},
            "DesiredStatus": task.desired_status,
            "KnownStatus": container.last_status,
            "ExitCode": container.exit_code,
            "Limits": {"CPU": container.definition.raw.get("cpu", 0)},
            "CreatedAt": _time(task.created_at),
            "StartedAt": _time(container.started_at),
            "FinishedAt": _time(container.finished_at),
            "Type": "NORMAL",
            "ContainerARN": container.arn,
            "LogDriver": "awslogs" if log else None,
            "LogOptions": {"awslogs-group": log.group, "awslogs-stream": log.stream} if log else None,
            "Networks": [{"NetworkMode": "awsvpc", "IPv4Addresses": [address]}] if address else None,
        }
    )


def _time(epoch: float | None) -> str | None:
    return None if epoch is None else datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
