"""What CloudWatch publishes to a topic when an alarm changes its state."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from .alarm import ACTIONS, Alarm
from .evaluation import State
from .wire import iso_millis

LONGEST_SUBJECT = 100


def subject(alarm: Alarm, region: str) -> str:
    """`ALARM: "queue-full" in US West (Oregon)`, within what SNS takes."""
    around = len(f'{alarm.state}: "" in {region_name(region)}')
    room = LONGEST_SUBJECT - around
    name = alarm.name if len(alarm.name) <= room else alarm.name[: room - 3] + "..."
    return f'{alarm.state}: "{name}" in {region_name(region)}'


def message(alarm: Alarm, old: State, *, account: str, region: str) -> str:
    """The JSON text."""
    declared = alarm.declared
    told = {
        "AlarmName": alarm.name,
        "AlarmDescription": declared.get("AlarmDescription"),
        "AWSAccountId": account,
        "AlarmConfigurationUpdatedTimestamp": iso_millis(alarm.configured),
        "NewStateValue": alarm.state,
        "NewStateReason": alarm.reason,
        "StateChangeTime": iso_millis(alarm.transitioned),
        "Region": region_name(region),
        "AlarmArn": alarm.arn,
        "OldStateValue": old,
        **{name: declared[name] for name in ACTIONS.values()},
        "Trigger": _trigger(alarm),
    }
    return json.dumps(told, separators=(",", ":"))


def _trigger(alarm: Alarm) -> dict[str, Any]:
    declared = alarm.declared
    rule: dict[str, Any] = {"Period": alarm.query.period, "EvaluationPeriods": alarm.rule.periods}
    if "DatapointsToAlarm" in declared:
        rule["DatapointsToAlarm"] = declared["DatapointsToAlarm"]
    rule |= {
        "ComparisonOperator": alarm.rule.comparison,
        "Threshold": alarm.rule.threshold,
        "TreatMissingData": declared.get("TreatMissingData", "missing"),
        "EvaluateLowSampleCountPercentile": declared.get("EvaluateLowSampleCountPercentile", ""),
    }
    if "Metrics" in declared:
        return rule | {"Metrics": declared["Metrics"]}
    if "Statistic" in declared:
        statistic = {"StatisticType": "Statistic", "Statistic": _shouted(declared["Statistic"])}
    else:
        statistic = {"StatisticType": "ExtendedStatistic", "ExtendedStatistic": declared["ExtendedStatistic"]}
    return {
        "MetricName": declared["MetricName"],
        "Namespace": declared["Namespace"],
        **statistic,
        "Unit": declared.get("Unit"),
        "Dimensions": [{"value": each["Value"], "name": each["Name"]} for each in declared["Dimensions"]],
        **rule,
    }


def _shouted(statistic: str) -> str:
    return {"SampleCount": "SAMPLE_COUNT"}.get(statistic, statistic.upper())


@cache
def region_name(region: str) -> str:
    """`US West (Oregon)` of `us-west-2`; the code itself where botocore knows no name."""
    import botocore.loaders  # noqa: PLC0415  reads botocore's data, only when the first mail about an alarm goes out

    for partition in botocore.loaders.Loader().load_data("partitions")["partitions"]:
        if region in partition["regions"]:
            return str(partition["regions"][region].get("description", region))
    return region
