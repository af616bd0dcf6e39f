"""CloudWatch's labels, limits and refusals as recorded on AWS."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from tests.support.scaling import ScalingWorld, scaling_world
from webordinary_testkit.emulation.core.errors import AwsError

pytestmark = pytest.mark.asyncio(loop_scope="module")
START = datetime(2026, 12, 1, tzinfo=UTC)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def cloud() -> AsyncIterator[ScalingWorld]:
    async with scaling_world() as built:
        yield built


async def refusal(cloud: ScalingWorld, operation: str, **params: Any) -> str:
    with pytest.raises(AwsError) as refused:
        await cloud.call("cloudwatch", operation, **params)
    return f"{refused.value.code}: {refused.value.message}"


@pytest.mark.parametrize(
    ("stats", "labels"),
    [
        ([("Sum", 60), ("Average", 60)], ["metric1 Sum", "metric1 Average"]),
        ([("Sum", 60), ("Sum", 120)], ["metric1 60", "metric1 120"]),
        ([("Sum", 60), ("Average", 120)], ["metric1 Sum 60", "metric1 Average 120"]),
        ([("Sum", 60)], ["metric1"]),
    ],
)
async def test_labels_tell_the_queries_of_one_metric_apart(
    cloud: ScalingWorld, stats: list[tuple[str, int]], labels: list[str]
) -> None:
    metric = {"Namespace": "test", "MetricName": "metric1"}
    queries = [
        {"Id": f"q{number}", "MetricStat": {"Metric": metric, "Stat": stat, "Period": period}}
        for number, (stat, period) in enumerate(stats)
    ]
    answer = await cloud.call(
        "cloudwatch", "GetMetricData", MetricDataQueries=queries, StartTime=START, EndTime=START + timedelta(hours=1)
    )
    assert [each["Label"] for each in answer["MetricDataResults"]] == labels


def asked(seconds: float, offset: float = 0, period: int = 60) -> Mapping[str, Any]:
    begin = START + timedelta(seconds=offset)
    return {
        "Namespace": "test",
        "MetricName": "m",
        "StartTime": begin,
        "EndTime": begin + timedelta(seconds=seconds),
        "Period": period,
        "Statistics": ["Sum"],
    }


@pytest.mark.parametrize("seconds", [0, -20])
async def test_a_time_range_must_have_a_length(cloud: ScalingWorld, seconds: float) -> None:
    said = await refusal(cloud, "GetMetricStatistics", **asked(seconds, offset=30))
    assert said == "InvalidParameterValue: The parameter StartTime must be less than the parameter EndTime."


async def test_1440_datapoints_can_be_asked_for_and_no_more(cloud: ScalingWorld) -> None:
    await cloud.call("cloudwatch", "GetMetricStatistics", **asked(1440 * 60, offset=30))
    said = await refusal(cloud, "GetMetricStatistics", **asked(86_400, period=1))
    assert "up to 86400 datapoints, which exceeds the limit of 1440." in said


async def test_values_and_a_statistic_set_go_together_and_a_value_with_neither(cloud: ScalingWorld) -> None:
    statistics = {"SampleCount": 1, "Sum": 1, "Minimum": 1, "Maximum": 1}
    both = {"MetricName": "m", "Values": [1.0], "StatisticValues": statistics}
    await cloud.call("cloudwatch", "PutMetricData", Namespace="test", MetricData=[both])
    said = await refusal(cloud, "PutMetricData", Namespace="test", MetricData=[{**both, "Value": 1.0}])
    assert said.startswith("InvalidParameterCombination")


async def test_an_alarm_that_is_gone_has_no_tags(cloud: ScalingWorld) -> None:
    arn = "arn:aws:cloudwatch:us-west-2:123456789012:alarm:gone"
    assert (await cloud.call("cloudwatch", "ListTagsForResource", ResourceARN=arn))["Tags"] == []


@pytest.mark.parametrize("expression", ["NOSUCHFN(a)", "ANOMALY_DETECTION_BAND(a,2)", "SEARCH('x', 'Sum')"])
async def test_an_alarm_on_an_expression_that_is_not_emulated_is_refused_when_it_is_put(
    cloud: ScalingWorld, expression: str
) -> None:
    stat = {"Metric": {"Namespace": "test", "MetricName": "m"}, "Stat": "Sum", "Period": 60}
    metrics = [
        {"Id": "a", "MetricStat": stat, "ReturnData": False},
        {"Id": "e", "Expression": expression, "ReturnData": True},
    ]
    said = await refusal(
        cloud,
        "PutMetricAlarm",
        AlarmName="a",
        Metrics=metrics,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
    )
    assert said.startswith("ValidationError")
