"""CloudWatch's metrics, as boto3 and the gateway see them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.scaling import DIMENSIONS, ScalingWorld, scaling_world, until

MINUTE = 60


@pytest.fixture
async def cloud() -> AsyncIterator[ScalingWorld]:
    async with scaling_world() as built:
        yield built


class Sdk:
    """boto3 off the event loop."""

    def __init__(self, cloud: ScalingWorld, service: str = "cloudwatch") -> None:
        self._client = cloud.world.client(service)

    async def __call__(self, operation: str, **params: Any) -> dict[str, Any]:
        answer: dict[str, Any] = await asyncio.to_thread(getattr(self._client, operation), **params)
        answer.pop("ResponseMetadata")
        return answer

    async def refused(self, operation: str, **params: Any) -> tuple[str, str]:
        """The code and message with which the call is refused."""
        with pytest.raises(ClientError) as refused:
            await self(operation, **params)
        error = refused.value.response["Error"]
        return error["Code"], error["Message"]


@pytest.fixture
def sdk(cloud: ScalingWorld) -> Sdk:
    return Sdk(cloud)


def moment(aws_epoch: float) -> datetime:
    return datetime.fromtimestamp(aws_epoch, UTC)


def minutes_ago(cloud: ScalingWorld, count: int) -> float:
    return cloud.now // MINUTE * MINUTE - count * MINUTE


def orders(**datum: Any) -> dict[str, Any]:
    return {"Namespace": "Shop", "MetricData": [{"MetricName": "Orders", "Dimensions": DIMENSIONS, **datum}]}


def since(cloud: ScalingWorld, minutes: int, **query: Any) -> dict[str, Any]:
    return {
        "Namespace": "Shop",
        "MetricName": "Orders",
        "Dimensions": DIMENSIONS,
        "StartTime": moment(minutes_ago(cloud, minutes)),
        "EndTime": moment(minutes_ago(cloud, 0) + MINUTE),
        "Period": MINUTE,
        **query,
    }


async def test_a_published_value_comes_back_in_its_minute(cloud: ScalingWorld, sdk: Sdk) -> None:
    at = minutes_ago(cloud, 2)
    await sdk("put_metric_data", **orders(Value=3.5, Unit="Count", Timestamp=moment(at + 20)))
    answer = await sdk("get_metric_statistics", **since(cloud, 5, Statistics=["Sum", "SampleCount"]))
    assert answer == {
        "Label": "Orders",
        "Datapoints": [{"Timestamp": moment(at), "Unit": "Count", "Sum": 3.5, "SampleCount": 1.0}],
    }


async def test_a_query_that_leaves_a_dimension_out_finds_nothing(cloud: ScalingWorld, sdk: Sdk) -> None:
    await sdk("put_metric_data", **orders(Value=3.5))
    loose = await sdk("get_metric_statistics", **since(cloud, 5, Statistics=["Sum"], Dimensions=[]))
    exact = await sdk("get_metric_statistics", **since(cloud, 5, Statistics=["Sum"]))
    assert loose["Datapoints"] == []
    assert len(exact["Datapoints"]) == 1


async def test_values_with_counts_are_each_counted(cloud: ScalingWorld, sdk: Sdk) -> None:
    await sdk("put_metric_data", **orders(Values=[1.0, 10.0], Counts=[9.0, 1.0]))
    answer = await sdk("get_metric_statistics", **since(cloud, 1, ExtendedStatistics=["p90", "p95"]))
    assert answer["Datapoints"][0]["ExtendedStatistics"] == {"p90": 1.0, "p95": 10.0}


async def test_a_statistic_set_is_taken_as_it_is(cloud: ScalingWorld, sdk: Sdk) -> None:
    figures = {"SampleCount": 4.0, "Sum": 10.0, "Minimum": 1.0, "Maximum": 4.0}
    await sdk("put_metric_data", **orders(StatisticValues=figures))
    answer = await sdk("get_metric_statistics", **since(cloud, 1, Statistics=[*figures, "Average"]))
    point = answer["Datapoints"][0]
    assert {name: point[name] for name in [*figures, "Average"]} == {**figures, "Average": 2.5}


@pytest.mark.parametrize(
    ("datum", "code", "message"),
    [
        (
            {"Value": float("nan")},
            "InvalidParameterValue",
            "The value NaN for parameter MetricData.member.1.Value is invalid.",
        ),
        (
            {"Value": 1.0, "Values": [1.0]},
            "InvalidParameterCombination",
            "The parameters MetricData.member.1.Value and MetricData.member.1.Values are mutually exclusive and you "
            "have specified both.",
        ),
        (
            {"Values": [1.0, 2.0], "Counts": [1.0]},
            "InvalidParameterValue",
            "The parameters MetricData.member.1.Values and MetricData.member.1.Counts must be of the same size.",
        ),
        (
            {"Value": 1.0, "Timestamp": moment(0)},
            "InvalidParameterValue",
            "The parameter MetricData.member.1.Timestamp must specify a time no more than two weeks in the past.",
        ),
        (
            {"Value": 1.0, "Timestamp": moment(4102444800)},
            "InvalidParameterValue",
            "The parameter MetricData.member.1.Timestamp must specify a time no more than two hours in the future.",
        ),
        (
            {"Value": 1.0, "StorageResolution": 30},
            "InvalidParameterValue",
            "The value 30 for parameter MetricData.member.1.StorageResolution is invalid.",
        ),
        (
            {},
            "MissingParameter",
            "At least one of the parameters MetricData.member.1.Value, MetricData.member.1.Values and "
            "MetricData.member.1.StatisticValues is required.",
        ),
    ],
)
async def test_a_datapoint_that_aws_refuses_is_refused(
    sdk: Sdk, datum: dict[str, Any], code: str, message: str
) -> None:
    assert await sdk.refused("put_metric_data", **orders(**datum)) == (code, message)


async def test_of_a_request_with_one_bad_datapoint_nothing_is_stored(sdk: Sdk) -> None:
    request = orders(Value=1.0)
    request["MetricData"].append({"MetricName": "Orders", "Value": float("inf")})
    await sdk.refused("put_metric_data", **request)
    assert (await sdk("list_metrics"))["Metrics"] == []


async def test_the_namespaces_of_aws_belong_to_aws(sdk: Sdk) -> None:
    request = {**orders(Value=1.0), "Namespace": "AWS/SQS"}
    assert await sdk.refused("put_metric_data", **request) == (
        "InvalidParameterValue",
        "The value AWS/ for parameter Namespace is invalid.",
    )


async def test_a_clock_that_runs_on_wall_time_is_believed() -> None:
    async with scaling_world(scale=1e8) as fast:
        started = fast.world.ctx.clock.origin

        async def three_weeks_later() -> bool:
            return fast.now - started > 21 * 86400

        await until(three_weeks_later, "three weeks of AWS time")
        await Sdk(fast)("put_metric_data", **orders(Value=1.0, Timestamp=moment(started)))


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        (
            {"Period": 45},
            "ValidationError",
            "The parameter Period must be a value in the set [1, 5, 10, 20, 30] or a multiple of 60, got 45",
        ),
        (
            {"EndTime": moment(0)},
            "InvalidParameterValue",
            "The parameter StartTime must be less than the parameter EndTime.",
        ),
        (
            {"StartTime": moment(0)},
            "InvalidParameterCombination",
            "You have requested up to",
        ),
        (
            {"ExtendedStatistics": ["p90"]},
            "InvalidParameterCombination",
            "Statistics and ExtendedStatistics are mutually exclusive.",
        ),
    ],
)
async def test_a_question_that_aws_refuses_is_refused(
    cloud: ScalingWorld, sdk: Sdk, changes: dict[str, Any], code: str, message: str
) -> None:
    refused = await sdk.refused("get_metric_statistics", **since(cloud, 5, **{"Statistics": ["Sum"], **changes}))
    assert refused[0] == code
    assert refused[1].startswith(message)


def query(id: str, stat: str = "Sum", **more: Any) -> dict[str, Any]:
    metric = {"Namespace": "Shop", "MetricName": "Orders", "Dimensions": DIMENSIONS}
    return {"Id": id, "MetricStat": {"Metric": metric, "Period": MINUTE, "Stat": stat}, **more}


async def test_get_metric_data_tells_newest_first_unless_asked_otherwise(cloud: ScalingWorld, sdk: Sdk) -> None:
    times = [minutes_ago(cloud, age) for age in (3, 2, 1)]
    for value, at in enumerate(times):
        await sdk("put_metric_data", **orders(Value=float(value), Timestamp=moment(at)))
    span = {"StartTime": moment(times[0]), "EndTime": moment(times[-1] + MINUTE)}
    newest = await sdk("get_metric_data", MetricDataQueries=[query("m1")], **span)
    oldest = await sdk("get_metric_data", MetricDataQueries=[query("m1")], ScanBy="TimestampAscending", **span)
    assert newest["MetricDataResults"] == [
        {
            "Id": "m1",
            "Label": "Orders",
            "Timestamps": [moment(at) for at in reversed(times)],
            "Values": [2.0, 1.0, 0.0],
            "StatusCode": "Complete",
        }
    ]
    assert oldest["MetricDataResults"][0]["Values"] == [0.0, 1.0, 2.0]


async def test_metric_math_returns_what_is_asked_for_and_nothing_else(cloud: ScalingWorld, sdk: Sdk) -> None:
    await sdk("put_metric_data", **orders(Values=[2.0, 6.0], Timestamp=moment(minutes_ago(cloud, 1))))
    answer = await sdk(
        "get_metric_data",
        MetricDataQueries=[
            query("total", ReturnData=False),
            query("count", "SampleCount", ReturnData=False),
            {"Id": "mean", "Expression": "total / count", "Label": "per order"},
        ],
        StartTime=moment(minutes_ago(cloud, 2)),
        EndTime=moment(minutes_ago(cloud, 0)),
    )
    assert [(each["Id"], each["Label"], each["Values"]) for each in answer["MetricDataResults"]] == [
        ("mean", "per order", [4.0])
    ]


async def test_an_expression_that_is_not_emulated_is_an_error_that_says_so(cloud: ScalingWorld, sdk: Sdk) -> None:
    code, message = await sdk.refused(
        "get_metric_data",
        MetricDataQueries=[query("m1"), {"Id": "e1", "Expression": "ANOMALY_DETECTION_BAND(m1)"}],
        StartTime=moment(minutes_ago(cloud, 2)),
        EndTime=moment(minutes_ago(cloud, 0)),
    )
    assert code == "ValidationError"
    assert message.startswith("Error in expression 'e1': ANOMALY_DETECTION_BAND is not emulated")


async def test_many_datapoints_come_in_pages(cloud: ScalingWorld, sdk: Sdk) -> None:
    end = minutes_ago(cloud, 0)
    for age in (3, 2, 1):
        await sdk("put_metric_data", **orders(Value=float(age), Timestamp=moment(end - age * MINUTE)))
    span = {"StartTime": moment(end - 5 * MINUTE), "EndTime": moment(end), "MaxDatapoints": 2}
    first = await sdk("get_metric_data", MetricDataQueries=[query("m1")], **span)
    rest = await sdk("get_metric_data", MetricDataQueries=[query("m1")], NextToken=first["NextToken"], **span)
    assert (first["MetricDataResults"][0]["Values"], first["MetricDataResults"][0]["StatusCode"]) == (
        [1.0, 2.0],
        "PartialData",
    )
    assert (rest["MetricDataResults"][0]["Values"], rest["MetricDataResults"][0]["StatusCode"]) == ([3.0], "Complete")
    assert "NextToken" not in rest


async def test_listing_filters_by_some_of_the_dimensions(sdk: Sdk) -> None:
    await sdk("put_metric_data", **orders(Value=1.0))
    await sdk("put_metric_data", Namespace="Shop", MetricData=[{"MetricName": "Carts", "Value": 1.0}])
    listed = await sdk("list_metrics", Dimensions=[{"Name": "Environment"}])
    assert listed["Metrics"] == [{"Namespace": "Shop", "MetricName": "Orders", "Dimensions": DIMENSIONS}]
    assert [each["MetricName"] for each in (await sdk("list_metrics", Namespace="Shop"))["Metrics"]] == [
        "Carts",
        "Orders",
    ]
    assert (await sdk("list_metrics", MetricName="Other"))["Metrics"] == []


async def test_dashboards_are_still_the_base_s(sdk: Sdk) -> None:
    await sdk("put_dashboard", DashboardName="shop", DashboardBody='{"widgets": []}')
    assert [each["DashboardName"] for each in (await sdk("list_dashboards"))["DashboardEntries"]] == ["shop"]


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("cloudwatch", "put_composite_alarm", {"AlarmName": "both", "AlarmRule": "TRUE"}),
        ("cloudwatch", "put_insight_rule", {"RuleName": "r", "RuleDefinition": "{}"}),
        (
            "application-autoscaling",
            "put_scheduled_action",
            {
                "ServiceNamespace": "ecs",
                "Schedule": "rate(1 hour)",
                "ScheduledActionName": "nightly",
                "ResourceId": "service/shop/web",
                "ScalableDimension": "ecs:service:DesiredCount",
            },
        ),
    ],
)
async def test_what_is_not_emulated_is_an_error_that_says_so(
    cloud: ScalingWorld, service: str, operation: str, params: dict[str, Any]
) -> None:
    code, message = await Sdk(cloud, service).refused(operation, **params)
    assert code == "NotImplemented"
    assert "is not emulated. Nothing was changed." in message
