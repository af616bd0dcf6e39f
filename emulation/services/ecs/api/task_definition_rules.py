"""Validation and defaults of RegisterTaskDefinition."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

from ..errors import client_error, not_emulated
from .fargate import check_size, cpu_units, memory_mib

_CONTAINER_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_NOT_EMULATED = (
    *("environmentFiles", "firelensConfiguration", "resourceRequirements", "volumesFrom", "links"),
    *("credentialSpecs",),
)
_NOT_EMULATED_OF_TASK = ("inferenceAccelerators", "proxyConfiguration")
_NOT_EMULATED_LOG_OPTIONS = ("awslogs-multiline-pattern", "awslogs-datetime-format")
_NOT_EMULATED_VOLUMES = (
    *("dockerVolumeConfiguration", "fsxWindowsFileServerVolumeConfiguration", "s3filesVolumeConfiguration"),
)
_CONDITIONS = ("START", "COMPLETE", "SUCCESS", "HEALTHY")
_FARGATE_LONGEST_STOP = 120
_HEALTH_CHECK_BOUNDS = {"interval": (5, 300), "timeout": (2, 120), "retries": (1, 10), "startPeriod": (0, 300)}

Raw = Mapping[str, Any]


def validated(params: Raw) -> dict[str, Any]:
    """The definition as AWS stores it, with defaults. Raises ClientException or NotImplemented."""
    raw = {key: value for key, value in params.items() if key != "tags"}
    if not _CONTAINER_NAME.fullmatch(raw["family"]):
        raise client_error("The specified task definition family contains invalid characters or is too long.")
    for name in _NOT_EMULATED_OF_TASK:
        if raw.get(name):
            raise not_emulated(name)
    containers = raw["containerDefinitions"]
    if not containers:
        raise client_error("Container list cannot be empty.")
    if raw.get("cpu"):
        raw["cpu"] = str(cpu_units(raw["cpu"]))
    if raw.get("memory"):
        raw["memory"] = str(memory_mib(raw["memory"]))
    fargate = "FARGATE" in raw.get("requiresCompatibilities", ())
    if fargate:
        _check_fargate(raw)
    raw.setdefault("networkMode", "bridge")
    raw.setdefault("placementConstraints", [])
    _check_volumes(raw.setdefault("volumes", []))
    raw["containerDefinitions"] = [_container(each, raw, fargate=fargate) for each in containers]
    _check_together(raw["containerDefinitions"], {each.get("name") for each in raw["volumes"]})
    return raw


def _check_fargate(raw: Raw) -> None:
    if raw.get("networkMode") != "awsvpc":
        raise client_error("Fargate only supports network mode ‘awsvpc’.")
    for name in ("cpu", "memory"):
        if not raw.get(name):
            raise client_error(f"Fargate requires that '{name}' be defined at the task level.")
    check_size(int(raw["cpu"]), int(raw["memory"]))
    if raw.get("pidMode") == "host":
        raise client_error(
            "Tasks using the Fargate launch type do not support pidMode 'host'. The supported value for pidMode is "
            "'task'."
        )
    if raw.get("placementConstraints"):
        raise client_error("Fargate does not support placement constraints.")
    uses_logs = any(_log_driver(each) == "awslogs" for each in raw["containerDefinitions"])
    if uses_logs and not raw.get("executionRoleArn"):
        raise client_error("Fargate requires task definition to have execution role ARN to support log driver awslogs.")


def _container(container: Raw, task: Raw, *, fargate: bool) -> dict[str, Any]:
    name, image = container.get("name") or "", container.get("image") or ""
    if not name:
        raise client_error("Container.name should not be null or empty.")
    if not _CONTAINER_NAME.fullmatch(name):
        raise client_error("Container.name contains invalid characters.")
    if not image:
        raise client_error("Container.image should not be null or empty.")
    for option in _NOT_EMULATED:
        if container.get(option):
            raise not_emulated(f"{option} of container {name}")
    if not (task.get("memory") or container.get("memory") or container.get("memoryReservation")):
        raise client_error(
            f"Invalid setting for container '{name}'. "
            "At least one of 'memory' or 'memoryReservation' must be specified."
        )
    if task.get("memory") and container.get("memory", 0) > int(task["memory"]):
        raise client_error(f"Invalid 'memory' setting for container '{name}'. It must not be above the task's memory.")
    if fargate and container.get("privileged"):
        raise client_error("Fargate does not support privileged containers.")
    if fargate and container.get("stopTimeout", 0) > _FARGATE_LONGEST_STOP:
        raise client_error(
            f"Invalid 'stopTimeout' of container '{name}'. Fargate allows {_FARGATE_LONGEST_STOP} seconds."
        )
    _check_health(name, container.get("healthCheck"))
    _check_logs(name, container, task, fargate=fargate)
    return {
        "cpu": 0,
        "essential": True,
        "environment": [],
        "mountPoints": [],
        "volumesFrom": [],
        "systemControls": [],
        **container,
        "portMappings": [_port(each, task) for each in container.get("portMappings", ())],
    }


def _port(mapping: Raw, task: Raw) -> dict[str, Any]:
    if "containerPort" not in mapping:
        raise not_emulated("a port mapping without containerPort")
    port = mapping["containerPort"]
    if not 0 < port < 65_536:
        raise client_error("Container port must be between 1 and 65535.")
    if task["networkMode"] == "awsvpc" and mapping.get("hostPort", port) != port:
        raise client_error("When networkMode=awsvpc, the host ports and container ports in port mappings must match.")
    defaults = {"hostPort": port} if task["networkMode"] in ("awsvpc", "host") else {"hostPort": 0}
    return {**defaults, "protocol": "tcp", **mapping}


def _check_health(name: str, check: Raw | None) -> None:
    if check is None:
        return
    command = check["command"]
    if not command or command[0] not in ("CMD", "CMD-SHELL", "NONE") or (command[0] != "NONE" and len(command) < 2):
        raise client_error(
            f"Invalid 'command' of the health check of container '{name}': it begins with CMD or CMD-SHELL."
        )
    for setting, (least, most) in _HEALTH_CHECK_BOUNDS.items():
        if setting in check and not least <= check[setting] <= most:
            raise client_error(f"Health check {setting} of container '{name}' must be between {least} and {most}.")


def _check_logs(name: str, container: Raw, task: Raw, *, fargate: bool) -> None:
    driver = _log_driver(container)
    if driver is None:
        return
    if driver != "awslogs":
        raise not_emulated(f"log driver {driver} of container {name}")
    options = container["logConfiguration"].get("options", {})
    needed = ["awslogs-group", "awslogs-region", *(["awslogs-stream-prefix"] if fargate else [])]
    for option in needed:
        if not options.get(option):
            raise client_error(f"Log driver awslogs requires options: {', '.join(needed)}")
    for option in _NOT_EMULATED_LOG_OPTIONS:
        if option in options:
            raise not_emulated(f"{option} of container {name}")


def _log_driver(container: Raw) -> str | None:
    configuration: Raw = container.get("logConfiguration") or {}
    return configuration.get("logDriver")


def _check_volumes(volumes: Sequence[Raw]) -> None:
    for volume in volumes:
        for kind in _NOT_EMULATED_VOLUMES:
            if volume.get(kind):
                raise not_emulated(f"{kind} of volume {volume.get('name')}")
        if volume.get("configuredAtLaunch"):
            raise not_emulated(f"configuredAtLaunch of volume {volume.get('name')}")
        if volume.get("host", {}).get("sourcePath"):
            raise client_error("host.sourcePath should not be set for volumes in Fargate.")
        efs = volume.get("efsVolumeConfiguration") or {}
        if not efs.get("authorizationConfig", {}).get("accessPointId"):
            continue
        if efs.get("rootDirectory", "/") not in ("", "/"):
            raise client_error("EFS access point should be used with root directory '/' or with none.")
        if efs.get("transitEncryption") != "ENABLED":
            raise client_error("EFS transit encryption must be enabled when an access point is used.")


def _check_together(containers: Sequence[Raw], volumes: Set[str | None]) -> None:
    """Check the containers of a task against each other and its volumes."""
    for mount in (mount for each in containers for mount in each["mountPoints"]):
        if mount.get("sourceVolume") not in volumes:
            raise client_error(f"Unknown volume '{mount.get('sourceVolume')}'.")
    names = [each["name"] for each in containers]
    if len(set(names)) < len(names):
        raise client_error("Container names must be unique within a task definition.")
    if not any(each["essential"] for each in containers):
        raise client_error("A task definition must have at least one essential container.")
    essential = {each["name"]: each["essential"] for each in containers}
    dependencies = {each["name"]: [d["containerName"] for d in each.get("dependsOn", ())] for each in containers}
    for container in containers:
        for dependency in container.get("dependsOn", ()):
            on, condition = dependency["containerName"], dependency["condition"]
            if on not in essential:
                raise client_error(
                    f"Container '{container['name']}' depends on '{on}', which is no container of the task."
                )
            if condition not in _CONDITIONS:
                raise client_error(f"Invalid dependency condition '{condition}'. Valid are {', '.join(_CONDITIONS)}.")
            if condition in ("COMPLETE", "SUCCESS") and essential[on]:
                raise client_error(f"Container '{on}' is essential: others cannot depend on its {condition}.")
            if condition == "HEALTHY" and not next(c for c in containers if c["name"] == on).get("healthCheck"):
                raise client_error(f"Container '{on}' has no health check: others cannot depend on it being HEALTHY.")
    if cycle := next(_cycles(dependencies), None):
        raise client_error(f"Dependency cycle between containers: {' -> '.join(cycle)}.")


def _cycles(graph: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    def walk(name: str, path: list[str]) -> Iterator[list[str]]:
        if name in path:
            yield [*path[path.index(name) :], name]
            return
        for following in graph[name]:
            yield from walk(following, [*path, name])

    for start in graph:
        yield from walk(start, [])
