"""Builds the environment of a container."""

from __future__ import annotations

from collections.abc import Mapping

from ...core.controller import Context, Credentials
from .agent_faults import AGENT_VARIABLE
from .model import Container, Task
from .runtime import METADATA_VARIABLE


def container_environment(
    ctx: Context, task: Task, container: Container, credentials: Credentials, secrets: Mapping[str, str]
) -> dict[str, str]:
    """The cloud's variables, the task definition's, its secrets, RunTask's overrides; later ones win."""
    override = task.container_override(container.name)
    return {
        **ctx.clock.environment(),
        "AWS_ENDPOINT_URL": ctx.endpoint(),
        "AWS_REGION": ctx.region,
        "AWS_DEFAULT_REGION": ctx.region,
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_SESSION_TOKEN": credentials.session_token,
        "AWS_EXECUTION_ENV": f"AWS_ECS_{task.launch_type}",
        **container.definition.environment,
        **secrets,
        **{pair["name"]: pair.get("value", "") for pair in override.get("environment", ())},
        METADATA_VARIABLE: f"{ctx.endpoint()}/v4/{container.runtime_id}",
        AGENT_VARIABLE: f"{ctx.endpoint()}/v4/{container.runtime_id}/agent",
    }


def listening_ports(task: Task) -> tuple[int, ...]:
    """The ports the task's containers listen on: their port mappings, and PORT."""
    ports: list[int] = []
    for container in task.containers:
        main = container.definition.environment.get("PORT", "")
        ports += [*container.definition.ports, *([int(main)] if main.isdigit() else ())]
    return tuple(dict.fromkeys(ports))
