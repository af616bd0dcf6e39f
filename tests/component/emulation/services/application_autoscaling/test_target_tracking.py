"""Target tracking: a policy that keeps alarms of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.scaling import (
    CLUSTER,
    RESOURCE,
    ScalingWorld,
    action_errors,
    desired,
    register,
    scaling_world,
    set_state,
)

CPU = {"PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}}


@pytest.fixture
async def cloud() -> AsyncIterator[ScalingWorld]:
    async with scaling_world() as built:
        yield built


async def track(cloud: ScalingWorld, name: str = "cpu", **configuration: Any) -> list[str]:
    """The names of the alarms of a policy that tracks CPU at 35 percent."""
    answer = await cloud.call(
        "application-autoscaling",
        "PutScalingPolicy",
        **RESOURCE,
        PolicyName=name,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 35.0, **CPU, **configuration},
    )
    return [alarm["AlarmName"] for alarm in answer["Alarms"]]


async def test_target_tracking_keeps_its_own_alarms_and_removes_them(cloud: ScalingWorld) -> None:
    await register(cloud)
    high, low = await track(cloud)
    assert high.startswith(f"TargetTracking-service/{CLUSTER}/web-AlarmHigh-")
    assert low.startswith(f"TargetTracking-service/{CLUSTER}/web-AlarmLow-")
    assert await track(cloud, DisableScaleIn=True) == [high]
    await cloud.call("application-autoscaling", "DeregisterScalableTarget", **RESOURCE)
    assert (await cloud.call("cloudwatch", "DescribeAlarms"))["MetricAlarms"] == []
    policies = await cloud.call("application-autoscaling", "DescribeScalingPolicies", ServiceNamespace="ecs")
    assert policies["ScalingPolicies"] == []


async def test_target_tracking_adds_in_proportion_to_the_metric(cloud: ScalingWorld) -> None:
    cloud.web.desired = cloud.web.running = 2
    await register(cloud, high=9)
    high, _ = await track(cloud)
    await set_state(cloud, high, "ALARM", 60.0, 70.0)
    await desired(cloud, 4, [4])


async def test_target_tracking_takes_away_only_when_all_its_policies_agree(cloud: ScalingWorld) -> None:
    cloud.web.desired = cloud.web.running = 2
    await register(cloud)
    _, low = await track(cloud)
    memory = {"PredefinedMetricType": "ECSServiceAverageMemoryUtilization"}
    _, other = await track(cloud, "memory", PredefinedMetricSpecification=memory)
    await set_state(cloud, low, "ALARM", 0.0)
    assert await action_errors(cloud) == [""]
    assert cloud.ecs.updates == []
    await set_state(cloud, other, "ALARM", 17.0)
    await desired(cloud, 1, [1])


async def test_target_tracking_takes_away_down_to_zero(cloud: ScalingWorld) -> None:
    cloud.web.desired = cloud.web.running = 2
    await register(cloud)
    _, low = await track(cloud)
    await set_state(cloud, low, "ALARM", 0.0)
    await desired(cloud, 0, [0])
