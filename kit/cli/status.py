"""Show the running cloud: services, tasks, targets, sessions, queues, alarms."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from . import common, running

if TYPE_CHECKING:
    from ..backends.interface import Cloud
    from ..harness import Harness

HELP = "show the running cloud"
_WIDEST = 500
"""Columns, wider than any line."""


def arguments(parser: argparse.ArgumentParser) -> None:
    common.settings_arguments(parser)
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace) -> int:
    return common.run_async(_status(args))


async def _status(args: argparse.Namespace) -> int:
    async with running.harness(common.load_settings(args)) as (cloud, h):
        found = await _gathered(cloud, h)
    if args.json:
        common.say_json(found)
        return 0
    from rich.console import Console  # noqa: PLC0415 - heavy: only where something is shown
    from rich.table import Table  # noqa: PLC0415

    # Ids and URLs are for copying, so they are never cut or broken; a narrow terminal wraps the line.
    console = Console(highlight=False, width=_WIDEST)
    for title, rows in found.items():
        console.print(f"[bold]{title}[/bold]" if rows else f"[bold]{title}[/bold]  none")
        table = Table(box=None, pad_edge=False)
        for heading in rows[0] if rows else ():
            table.add_column(heading.replace("_", " "), header_style="dim", no_wrap=True)
        for row in rows:
            table.add_row(*(str(value) for value in row.values()))
        if rows:
            console.print(table)
        console.print()
    return 0


Rows = list[dict[str, Any]]


async def _gathered(cloud: Cloud, h: Harness) -> dict[str, Rows]:
    return {
        **await _services(h),
        "sessions": await _sessions(cloud),
        "queues": await _queues(cloud),
        "alarms": [
            {
                "alarm": alarm["AlarmName"],
                "state": alarm["StateValue"],
                "since": _time(alarm, "StateUpdatedTimestamp"),
            }
            for alarm in await cloud.aws.pages("cloudwatch", "describe_alarms", "MetricAlarms")
        ],
    }


async def _services(h: Harness) -> dict[str, Rows]:
    """The services with the latest event of each, their tasks, and their load balancer targets."""
    from ..system.facts import SERVICES  # noqa: PLC0415 - only where a cloud is used

    services, targets = [], []
    for service in SERVICES:
        described = await h.services.describe(service)
        newest = described["events"][0]["message"] if described.get("events") else ""
        newest = newest.removeprefix(f"(service {described['serviceName']}) ")
        services.append(
            {
                "service": described["serviceName"],
                "desired": described["desiredCount"],
                "running": described["runningCount"],
                "pending": described["pendingCount"],
                "last_event": newest,
            }
        )
        targets += [
            {"service": service, "target": f"{target.id}:{target.port}", "state": target.state, "reason": target.reason}
            for target in await h.services.targets(service)
        ]
    tasks = [
        {
            "task": task["taskArn"].rpartition("/")[2][:12],
            "group": task.get("group", ""),
            "status": task["lastStatus"],
            "desired": task["desiredStatus"],
            "started": _time(task, "startedAt"),
        }
        for task in await h.services.tasks()
    ]
    return {"services": services, "tasks": tasks, "targets": targets}


async def _sessions(cloud: Cloud) -> Rows:
    from ..core.clock import iso  # noqa: PLC0415 - only where a cloud is used

    items = await cloud.aws.pages("dynamodb", "scan", "Items", TableName=cloud.stack.sessions_table_name)
    return [
        {
            "session": row["sessionId"]["S"],
            "user": row["userId"]["S"],
            "status": row["status"]["S"],
            "last_activity": iso(int(row["lastActivity"]["N"]) / 1000),
            "preview": row["previewUrl"]["S"],
        }
        for row in sorted(items, key=lambda row: int(row["lastActivity"]["N"]))
    ]


async def _queues(cloud: Cloud) -> Rows:
    stack = cloud.stack
    return [
        {"queue": name, **await _depth(cloud, url)}
        for name, url in (
            ("inbound", stack.inbound_queue_url),
            ("dead letter", stack.dead_letter_queue_url),
            ("replies", stack.replies_queue_url),
        )
    ]


def _time(described: dict[str, Any], field: str) -> str:
    from ..core.clock import iso  # noqa: PLC0415 - only where a cloud is used

    return iso(described[field].timestamp()) if field in described else ""


async def _depth(cloud: Cloud, url: str) -> dict[str, int]:
    names = {"waiting": "ApproximateNumberOfMessages", "in_flight": "ApproximateNumberOfMessagesNotVisible"}
    answer = await cloud.aws.call("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=list(names.values()))
    return {name: int(answer["Attributes"][attribute]) for name, attribute in names.items()}
