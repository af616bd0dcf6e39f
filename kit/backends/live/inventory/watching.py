"""Alarms, dashboards, log groups."""

from __future__ import annotations

from collections.abc import Sequence

from .resource import Ground, Thing


async def alarms(ground: Ground) -> Sequence[Thing]:
    found = await ground.aws.pages("cloudwatch", "describe_alarms", "MetricAlarms")
    return [Thing("AWS::CloudWatch::Alarm", each["AlarmName"], each["AlarmArn"]) for each in found]


async def dashboards(ground: Ground) -> Sequence[Thing]:
    """Their ARNs have no region, and they no tags."""
    found = await ground.aws.pages("cloudwatch", "list_dashboards", "DashboardEntries")
    return [Thing("AWS::CloudWatch::Dashboard", each["DashboardName"]) for each in found]


async def log_groups(ground: Ground) -> Sequence[Thing]:
    found = await ground.aws.pages("logs", "describe_log_groups", "logGroups")
    return [
        Thing("AWS::Logs::LogGroup", each["logGroupName"], ground.arn("logs", f"log-group:{each['logGroupName']}"))
        for each in found
    ]
