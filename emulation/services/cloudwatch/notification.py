"""The SNS message about a change of an alarm's state."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from ...core.timestamps import iso_millis
from .alarm import ACTIONS, Alarm
from .evaluation import State

LONGEST_SUBJECT = 100


def subject(alarm: Alarm, region: str) -> str:
    """`ALARM: "queue-full" in US West (Oregon)`, cut to the maximum length of SNS."""
    around = len(f'{alarm.state}: "" in {region_name(region)}')
    room = LONGEST_SUBJECT - around
    name = alarm.name if len(alarm.name) <= room else alarm.name[: room - 3] + "..."
    return f'{alarm.state}: "{name}" in {region_name(region)}'


def message(alarm: Alarm, old: State, *, account: str, region: str) -> str:
    """The JSON text."""
    configuration = alarm.configuration
    content = {
        "AlarmName": alarm.name,
        "AlarmDescription": configuration.get("AlarmDescription"),
        "AWSAccountId": account,
        "AlarmConfigurationUpdatedTimestamp": iso_millis(alarm.configured, "+0000"),
        "NewStateValue": alarm.state,
        "NewStateReason": alarm.reason,
        "StateChangeTime": iso_millis(alarm.transitioned, "+0000"),
        "Region": region_name(region),
        "AlarmArn": alarm.arn,
        "OldStateValue": old,
        **{name: configuration[name] for name in ACTIONS.values()},
        "Trigger": _trigger(alarm),
    }
    return json.dumps(content, separators=(",", ":"))


def _trigger(alarm: Alarm) -> dict[str, Any]:
    configuration = alarm.configuration
    rule: dict[str, Any] = {"Period": alarm.query.period, "EvaluationPeriods": alarm.rule.periods}
    if "DatapointsToAlarm" in configuration:
        rule["DatapointsToAlarm"] = configuration["DatapointsToAlarm"]
    rule |= {
        "ComparisonOperator": alarm.rule.comparison,
        "Threshold": alarm.rule.threshold,
        "TreatMissingData": configuration.get("TreatMissingData", "missing"),
        "EvaluateLowSampleCountPercentile": configuration.get("EvaluateLowSampleCountPercentile", ""),
    }
    if "Metrics" in configuration:
        return rule | {"Metrics": configuration["Metrics"]}
    if "Statistic" in configuration:
        statistic = {"StatisticType": "Statistic", "Statistic": _upper_snake(configuration["Statistic"])}
    else:
        statistic = {"StatisticType": "ExtendedStatistic", "ExtendedStatistic": configuration["ExtendedStatistic"]}
    return {
        "MetricName": configuration["MetricName"],
        "Namespace": configuration["Namespace"],
        **statistic,
        "Unit": configuration.get("Unit"),
        "Dimensions": [{"value": each["Value"], "name": each["Name"]} for each in configuration["Dimensions"]],
        **rule,
    }


def _upper_snake(statistic: str) -> str:
    return {"SampleCount": "SAMPLE_COUNT"}.get(statistic, statistic.upper())


@cache
def region_name(region: str) -> str:
    """`US West (Oregon)` for `us-west-2`; the code itself for a region botocore does not know."""
    import botocore.loaders  # noqa: PLC0415  - reads botocore's data; only needed for the first notification

    for partition in botocore.loaders.Loader().load_data("partitions")["partitions"]:
        if region in partition["regions"]:
            return str(partition["regions"][region].get("description", region))
    return region
