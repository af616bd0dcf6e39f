from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webordinary_testkit.emulation.core.errors import AwsError
from webordinary_testkit.emulation.services.application_autoscaling.tracking import TargetTracking

CPU = {"PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}}
IDS = {"AlarmHigh": "id-high", "AlarmLow": "id-low"}


def tracking(**configuration: Any) -> TargetTracking:
    return TargetTracking.parse({"TargetValue": 35.0, **(configuration or CPU)}, "shop", "web")


def test_a_policy_keeps_a_quick_alarm_for_too_much_and_a_slow_one_for_too_little() -> None:
    high, low = tracking().alarms("service/shop/web", IDS, "arn:policy")
    assert high["AlarmName"] == "TargetTracking-service/shop/web-AlarmHigh-id-high"
    assert (high["ComparisonOperator"], high["Threshold"], high["EvaluationPeriods"]) == (
        "GreaterThanThreshold",
        35.0,
        3,
    )
    assert low["AlarmName"] == "TargetTracking-service/shop/web-AlarmLow-id-low"
    assert (low["ComparisonOperator"], low["Threshold"], low["EvaluationPeriods"]) == ("LessThanThreshold", 31.5, 15)
    assert high["AlarmActions"] == low["AlarmActions"] == ["arn:policy"]


def test_the_cpu_of_a_service_is_watched_by_cluster_and_service() -> None:
    high = tracking().alarms("service/shop/web", IDS, "arn:policy")[0]
    assert (high["Namespace"], high["MetricName"], high["Statistic"]) == ("AWS/ECS", "CPUUtilization", "Average")
    assert high["Dimensions"] == [
        {"Name": "ClusterName", "Value": "shop"},
        {"Name": "ServiceName", "Value": "web"},
    ]


def test_requests_per_target_are_watched_by_load_balancer_and_target_group() -> None:
    label = "app/shop/1234/targetgroup/web/5678"
    policy = tracking(
        PredefinedMetricSpecification={"PredefinedMetricType": "ALBRequestCountPerTarget", "ResourceLabel": label}
    )
    assert policy.metric["Dimensions"] == [
        {"Name": "LoadBalancer", "Value": "app/shop/1234"},
        {"Name": "TargetGroup", "Value": "targetgroup/web/5678"},
    ]


def test_without_scaling_in_there_is_no_low_alarm() -> None:
    alarms = tracking(DisableScaleIn=True, **CPU).alarms("service/shop/web", IDS, "arn:policy")
    assert ["AlarmHigh" in alarm["AlarmName"] for alarm in alarms] == [True]


def test_metric_math_is_watched_by_the_minute() -> None:
    queries = [
        {"Id": "m1", "MetricStat": {"Metric": {"MetricName": "A", "Namespace": "N"}, "Stat": "Sum"}},
        {"Id": "e1", "Expression": "m1 / 2", "ReturnData": True},
    ]
    policy = tracking(CustomizedMetricSpecification={"Metrics": queries})
    assert policy.metric["Metrics"][0]["MetricStat"]["Period"] == 60
    assert policy.metric["Metrics"][1] == queries[1]


@pytest.mark.parametrize(
    ("value", "tasks", "out", "wanted"),
    [(70.0, 2, True, 4), (36.0, 2, True, 3), (99.0, 0, True, 1), (17.5, 4, False, 2), (0.0, 4, False, 0)],
)
def test_capacity_follows_the_metric_in_proportion(value: float, tasks: int, out: bool, wanted: int) -> None:
    assert tracking().capacity(value, tasks, out=out) == wanted


@given(st.floats(35.01, 1000), st.integers(0, 50))
def test_scaling_out_brings_the_metric_to_its_target_or_below(value: float, tasks: int) -> None:
    wanted = tracking().capacity(value, tasks, out=True)
    assert wanted > tasks
    assert value * tasks / wanted <= 35.0 + 0.001


@pytest.mark.parametrize(
    ("configuration", "complaint"),
    [
        ({"TargetValue": 1}, "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification"),
        ({"TargetValue": 0, **CPU}, "TargetValue must be greater than 0"),
        (
            {
                "TargetValue": 1,
                "PredefinedMetricSpecification": {"PredefinedMetricType": "ALBRequestCountPerTarget"},
            },
            "ResourceLabel must be app/",
        ),
        ({"TargetValue": 1, "CustomizedMetricSpecification": {"MetricName": "A"}}, "needs Namespace, or Metrics"),
    ],
)
def test_a_configuration_that_aws_refuses_is_refused_with_the_reason(
    configuration: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        TargetTracking.parse(configuration, "shop", "web")


def test_a_predefined_metric_of_other_services_is_not_emulated() -> None:
    with pytest.raises(AwsError, match="DynamoDBReadCapacityUtilization is not emulated"):
        tracking(PredefinedMetricSpecification={"PredefinedMetricType": "DynamoDBReadCapacityUtilization"})
