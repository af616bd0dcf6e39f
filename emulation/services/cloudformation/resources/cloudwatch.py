"""AWS::CloudWatch."""

from __future__ import annotations

from .base import Job, ResourceType, deleting, retagging
from .documents import document


async def create_alarm(job: Job) -> None:
    name = job.name()
    await job.send("cloudwatch", "PutMetricAlarm", omit="AlarmName", AlarmName=name)
    job.created(name, Arn=job.arn("cloudwatch", f"alarm:{name}"))


async def update_alarm(job: Job) -> None:
    params = job.params("cloudwatch", "PutMetricAlarm", omit="AlarmName")
    params.pop("Tags", None)  # PutMetricAlarm tags a new alarm only
    await job.call("cloudwatch", "PutMetricAlarm", AlarmName=job.physical_id, **params)


async def create_dashboard(job: Job) -> None:
    name = job.name()
    await _put_dashboard(job, name)
    job.created(name)


async def update_dashboard(job: Job) -> None:
    await _put_dashboard(job, job.physical_id)


async def _put_dashboard(job: Job, name: str) -> None:
    body = document(job.get("DashboardBody"))
    await job.call("cloudwatch", "PutDashboard", DashboardName=name, DashboardBody=body)


TYPES = (
    ResourceType(
        "AWS::CloudWatch::Alarm",
        properties=(
            "ActionsEnabled AlarmActions AlarmDescription AlarmName ComparisonOperator DatapointsToAlarm Dimensions "
            "EvaluateLowSampleCountPercentile EvaluationPeriods ExtendedStatistic InsufficientDataActions MetricName "
            "Metrics Namespace OKActions Period Statistic Tags Threshold ThresholdMetricId TreatMissingData Unit"
        ),
        create_only="AlarmName",
        not_emulated="ActionConfiguration EvaluationCriteria EvaluationInterval EvaluationWindow WarmUpConfiguration",
        attributes="Arn",
        name_property="AlarmName",
        create=create_alarm,
        update=update_alarm,
        delete=deleting("cloudwatch", "DeleteAlarms", "AlarmNames[]"),
        retag=retagging("cloudwatch"),
    ),
    ResourceType(
        "AWS::CloudWatch::Dashboard",
        properties="DashboardBody DashboardName",
        required="DashboardBody",
        create_only="DashboardName",
        not_emulated="Tags",
        name_property="DashboardName",
        create=create_dashboard,
        update=update_dashboard,
        delete=deleting("cloudwatch", "DeleteDashboards", "DashboardNames[]"),
    ),
)
