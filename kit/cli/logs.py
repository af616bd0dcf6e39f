"""Show the CloudWatch logs of the running cloud's services."""

from __future__ import annotations

import argparse

from . import common, running

HELP = "show the logs of Hermes or of the edit containers"


def arguments(parser: argparse.ArgumentParser) -> None:
    common.settings_arguments(parser)
    parser.add_argument("service", choices=("hermes", "edit"))


def run(args: argparse.Namespace) -> int:
    return common.run_async(_logs(args))


async def _logs(args: argparse.Namespace) -> int:
    from ..core.clock import iso  # noqa: PLC0415 - only where a cloud is used

    async with running.harness(common.load_settings(args)) as (cloud, h):
        group = h.system.log_group(args.service)
        events = await cloud.aws.pages("logs", "filter_log_events", "events", logGroupName=group)
        for event in sorted(events, key=lambda event: event["timestamp"]):
            task = event.get("logStreamName", "").rpartition("/")[2][:8]
            common.say(f"{iso(event['timestamp'] / 1000)} {task} {event['message'].rstrip()}")
    return 0
