"""Evidence of a scenario that did not pass: the services' logs, and a snapshot of the system's state."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from ..core.clock import iso
from ..system.facts import SERVICES
from .context import Context
from .services import Services


async def collect(context: Context, services: Services, folder: Path, name: str, since: float) -> tuple[str, ...]:
    """Write the logs since an AWS time, and the state, into the run's folder; returns the files.

    A request that fails is recorded as such: missing evidence must not hide the failure.
    """
    if not context.cloud.stack.is_webordinary:
        return await _of_another_system(context, folder, name, since)
    pages, stack = context.cloud.aws.pages, context.cloud.stack
    files = [
        await _write_log(context, context.system.log_group(service), since, folder / f"{name}-{service}.log")
        for service in SERVICES
    ]
    state = {
        "services": await _tried(lambda: _described(services)),
        "tasks": await _tried(services.tasks),
        "stopped_tasks": await _tried(lambda: services.tasks(stopped=True)),
        "targets": await _tried(lambda: _targets(services)),
        "sessions": await _tried(lambda: pages("dynamodb", "scan", "Items", TableName=stack.sessions_table_name)),
        "mails": await _tried(lambda: pages("dynamodb", "scan", "Items", TableName=stack.mail_table_name)),
        "alarms": await _tried(lambda: pages("cloudwatch", "describe_alarms", "MetricAlarms")),
    }
    files.append(_written(folder / f"{name}-state.json", json.dumps(state, indent=1, default=str)))
    return tuple(str(file) for file in files)


async def _of_another_system(context: Context, folder: Path, name: str, since: float) -> tuple[str, ...]:
    """The stack's resources, and the log of each of its log groups."""
    listed = await _tried(
        lambda: context.cloud.aws.pages(
            "cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=context.cloud.stack.name
        )
    )
    files = [_written(folder / f"{name}-resources.json", json.dumps(listed, indent=1, default=str))]
    for resource in listed if isinstance(listed, list) else ():
        if resource["ResourceType"] == "AWS::Logs::LogGroup":
            path = folder / f"{name}-{resource['LogicalResourceId']}.log"
            files.append(await _write_log(context, resource["PhysicalResourceId"], since, path))
    return tuple(str(file) for file in files)


async def _tried(look: Callable[[], Awaitable[Any]]) -> Any:
    try:
        return await look()
    except Exception as error:
        return {"could not be asked": f"{type(error).__name__}: {error}"}


async def _write_log(context: Context, group: str, since: float, path: Path) -> Path:
    lines = await _tried(lambda: _log(context, group, since))
    return _written(path, lines if isinstance(lines, str) else json.dumps(lines))


async def _log(context: Context, group: str, since: float) -> str:
    events = await context.cloud.aws.pages(
        "logs",
        "filter_log_events",
        "events",
        logGroupName=group,
        startTime=int(since * 1000),
    )
    ordered = sorted(events, key=lambda event: event["timestamp"])
    return "".join(
        f"{iso(event['timestamp'] / 1000)} {event.get('logStreamName', '').rpartition('/')[2][:8]} "
        f"{event['message'].rstrip()}\n"
        for event in ordered
    )


async def _described(services: Services) -> list[dict[str, Any]]:
    return [await services.describe(service) for service in SERVICES]


async def _targets(services: Services) -> dict[str, list[str]]:
    return {service: [str(target) for target in await services.targets(service)] for service in SERVICES}


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
