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
    files = []
    for service in SERVICES:
        group = context.system.log_group(service)
        lines = await _tried(lambda group=group: _log(context, group, since))  # type: ignore[misc]  # binds the loop's value
        files.append(_written(folder / f"{name}-{service}.log", lines if isinstance(lines, str) else json.dumps(lines)))
    state = {
        "services": await _tried(lambda: _described(services)),
        "tasks": await _tried(services.tasks),
        "stopped_tasks": await _tried(lambda: services.tasks(stopped=True)),
        "targets": await _tried(lambda: _targets(services)),
        "sessions": await _tried(lambda: _items(context, context.cloud.stack.sessions_table_name)),
        "mails": await _tried(lambda: _items(context, context.cloud.stack.mail_table_name)),
        "alarms": await _tried(lambda: _alarms(context)),
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
            group = resource["PhysicalResourceId"]
            lines = await _tried(lambda group=group: _log(context, group, since))  # type: ignore[misc]  # as above
            text = lines if isinstance(lines, str) else json.dumps(lines)
            files.append(_written(folder / f"{name}-{resource['LogicalResourceId']}.log", text))
    return tuple(str(file) for file in files)


async def _tried(look: Callable[[], Awaitable[Any]]) -> Any:
    try:
        return await look()
    except Exception as error:
        return {"could not be asked": f"{type(error).__name__}: {error}"}


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


async def _items(context: Context, table: str) -> list[Any]:
    return await context.cloud.aws.pages("dynamodb", "scan", "Items", TableName=table)


async def _alarms(context: Context) -> list[Any]:
    return await context.cloud.aws.pages("cloudwatch", "describe_alarms", "MetricAlarms")


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
