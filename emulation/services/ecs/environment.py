"""What a container finds in its environment."""

from __future__ import annotations

from collections.abc import Mapping

from ...core.controller import Context, Credentials
from .agent_faults import AGENT_VARIABLE
from .model import Container, Task
from .runtime import METADATA_VARIABLE


def container_environment(
    ctx: Context, task: Task, container: Container, credentials: Credentials, secrets: Mapping[str, str]
) -> dict[str, str]:
    """The cloud's own, then what the task definition says, its secrets, what RunTask overrides. The later wins, so a
    definition that names an endpoint, a region or keys gets what it names."""
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
    """All ports the task's containers listen on: their port mappings, and what PORT says."""
    ports: dict[int, None] = {}
    for container in task.containers:
        said = container.definition.environment.get("PORT", "")
        for port in (*container.definition.ports, *([int(said)] if said.isdigit() else ())):
            ports[port] = None
    return tuple(ports)
