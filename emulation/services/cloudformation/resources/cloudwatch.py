"""AWS::CloudWatch."""

from __future__ import annotations

from ..summary import words
from .base import ResourceType, Work, tagging
from .documents import document


async def create_alarm(work: Work) -> None:
    name = work.name()
    params = work.params("cloudwatch", "PutMetricAlarm", leave="AlarmName")
    await work.call("cloudwatch", "PutMetricAlarm", AlarmName=name, **params)
    work.made(name, Arn=f"arn:aws:cloudwatch:{work.ctx.region}:{work.ctx.account}:alarm:{name}")


async def update_alarm(work: Work) -> None:
    params = work.params("cloudwatch", "PutMetricAlarm", leave="AlarmName")
    params.pop("Tags", None)  # PutMetricAlarm tags a new alarm only
    await work.call("cloudwatch", "PutMetricAlarm", AlarmName=work.physical_id, **params)


async def delete_alarm(work: Work) -> None:
    await work.call("cloudwatch", "DeleteAlarms", AlarmNames=[work.physical_id])


async def create_dashboard(work: Work) -> None:
    name = work.name()
    await _put_dashboard(work, name)
    work.made(name)


async def update_dashboard(work: Work) -> None:
    await _put_dashboard(work, work.physical_id)


async def _put_dashboard(work: Work, name: str) -> None:
    body = document(work.get("DashboardBody"))
    await work.call("cloudwatch", "PutDashboard", DashboardName=name, DashboardBody=body)


async def delete_dashboard(work: Work) -> None:
    await work.call("cloudwatch", "DeleteDashboards", DashboardNames=[work.physical_id])


TYPES = (
    ResourceType(
        "AWS::CloudWatch::Alarm",
        properties=words(
            "ActionsEnabled AlarmActions AlarmDescription AlarmName ComparisonOperator DatapointsToAlarm Dimensions "
            "EvaluateLowSampleCountPercentile EvaluationPeriods ExtendedStatistic InsufficientDataActions MetricName "
            "Metrics Namespace OKActions Period Statistic Tags Threshold ThresholdMetricId TreatMissingData Unit"
        ),
        replacing=words("AlarmName"),
        not_emulated=words(
            "ActionConfiguration EvaluationCriteria EvaluationInterval EvaluationWindow WarmUpConfiguration"
        ),
        attributes=words("Arn"),
        named="AlarmName",
        create=create_alarm,
        update=update_alarm,
        delete=delete_alarm,
        retag=tagging("cloudwatch", "TagResource", "UntagResource", "ResourceARN"),
    ),
    ResourceType(
        "AWS::CloudWatch::Dashboard",
        properties=words("DashboardBody DashboardName"),
        required=words("DashboardBody"),
        replacing=words("DashboardName"),
        not_emulated=words("Tags"),
        named="DashboardName",
        create=create_dashboard,
        update=update_dashboard,
        delete=delete_dashboard,
    ),
)
