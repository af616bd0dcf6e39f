"""Scaling policies, from the alarm to the desired count."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.scaling import CLUSTER, ScalingWorld, scaling_world, until
from webordinary_testkit.emulation.core.errors import AwsError

RESOURCE = {
    "ServiceNamespace": "ecs",
    "ResourceId": f"service/{CLUSTER}/web",
    "ScalableDimension": "ecs:service:DesiredCount",
}
FOLLOW = [
    {"MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 2.0, "ScalingAdjustment": 1},
    {"MetricIntervalLowerBound": 2.0, "ScalingAdjustment": 3},
]
ONE_MORE = [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}]
TO_ZERO = [{"MetricIntervalUpperBound": 0.0, "ScalingAdjustment": 0}]
CPU = {"PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}}


@pytest.fixture
async def cloud() -> AsyncIterator[ScalingWorld]:
    async with scaling_world() as built:
        yield built


async def register(cloud: ScalingWorld, low: int = 0, high: int = 3, **more: Any) -> str:
    answer = await cloud.call(
        "application-autoscaling", "RegisterScalableTarget", **RESOURCE, MinCapacity=low, MaxCapacity=high, **more
    )
    return str(answer["ScalableTargetARN"])


async def step_policy(
    cloud: ScalingWorld,
    steps: list[dict[str, Any]],
    adjustment_type: str = "ExactCapacity",
    name: str = "follow",
    **more: Any,
) -> str:
    """The ARN of a policy without cooldown."""
    configuration = {"AdjustmentType": adjustment_type, "StepAdjustments": steps, "Cooldown": 0, **more}
    answer = await cloud.call(
        "application-autoscaling",
        "PutScalingPolicy",
        **RESOURCE,
        PolicyName=name,
        StepScalingPolicyConfiguration=configuration,
    )
    return str(answer["PolicyARN"])


async def desired(cloud: ScalingWorld, count: int, updates: list[int] | None = None) -> None:
    async def probe() -> bool:
        return cloud.web.desired == count and (updates is None or cloud.ecs.updates == updates)

    await until(probe, f"desired count {count} after updates {updates}")


async def activities(cloud: ScalingWorld, **more: Any) -> list[dict[str, Any]]:
    answer = await cloud.call("application-autoscaling", "DescribeScalingActivities", ServiceNamespace="ecs", **more)
    found: list[dict[str, Any]] = answer["ScalingActivities"]
    return found


async def not_scaled(cloud: ScalingWorld) -> list[dict[str, Any]]:
    async def probe() -> list[dict[str, Any]]:
        return [each for each in await activities(cloud, IncludeNotScaledActivities=True) if "NotScaledReasons" in each]

    return await until(probe, "an activity that scaled nothing")


async def action_errors(cloud: ScalingWorld, count: int = 1) -> list[str]:
    """The errors of the actions in the alarms' histories ("" of a success), once there are so many."""

    async def probe() -> list[str] | None:
        answer = await cloud.call("cloudwatch", "DescribeAlarmHistory", HistoryItemType="Action")
        errors = [json.loads(item["HistoryData"]).get("error", "") for item in answer["AlarmHistoryItems"]]
        return errors if len(errors) >= count else None

    return await until(probe, f"{count} actions in the history")


async def set_state(cloud: ScalingWorld, alarm: str, state: str, *values: float) -> None:
    """By hand, as if these datapoints had brought it about."""
    data = json.dumps({"recentDatapoints": values})
    await cloud.call(
        "cloudwatch",
        "SetAlarmState",
        AlarmName=alarm,
        StateValue=state,
        StateReason="by hand",
        StateReasonData=data,
    )


async def test_an_alarm_brings_a_service_up_from_zero(cloud: ScalingWorld) -> None:
    await register(cloud)
    await cloud.alarm(AlarmActions=[await step_policy(cloud, FOLLOW)])
    await cloud.publish(1)
    await desired(cloud, 1, [1])


@pytest.mark.parametrize(("sessions", "tasks"), [(1, 1), (2, 1), (3, 3), (9, 3)])
async def test_the_size_of_the_breach_chooses_the_step(cloud: ScalingWorld, sessions: int, tasks: int) -> None:
    await register(cloud)
    await cloud.alarm(AlarmActions=[await step_policy(cloud, FOLLOW)])
    await cloud.publish(sessions)
    await desired(cloud, tasks, [tasks])


async def test_an_alarm_takes_a_service_down_to_zero(cloud: ScalingWorld) -> None:
    cloud.web.desired = cloud.web.running = 3
    await register(cloud)
    await cloud.alarm(ComparisonOperator="LessThanThreshold", AlarmActions=[await step_policy(cloud, TO_ZERO)])
    await cloud.publish(0)
    await desired(cloud, 0, [0])


async def test_silence_takes_a_service_down_where_missing_data_breaches() -> None:
    async with scaling_world(scale=300) as cloud:
        cloud.web.desired = cloud.web.running = 1
        await register(cloud)
        policy = await step_policy(cloud, TO_ZERO)
        await cloud.alarm(ComparisonOperator="LessThanThreshold", TreatMissingData="breaching", AlarmActions=[policy])
        await desired(cloud, 0, [0])


async def test_the_activity_tells_why_and_is_fulfilled_when_the_tasks_run(cloud: ScalingWorld) -> None:
    await register(cloud)
    await cloud.alarm(AlarmActions=[await step_policy(cloud, FOLLOW)])
    await cloud.publish(1)
    await desired(cloud, 1)

    async def begun() -> list[dict[str, Any]]:
        return [each for each in await activities(cloud) if each["StatusCode"] == "InProgress"]

    (activity,) = await until(begun, "an activity in progress")
    assert activity["Description"] == "Setting desired count to 1."
    assert activity["Cause"] == "monitor alarm busy in state ALARM triggered policy follow"
    assert {key: activity[key] for key in RESOURCE} == RESOURCE
    assert "EndTime" not in activity
    cloud.ecs.settle()

    async def fulfilled() -> list[dict[str, Any]]:
        return [each for each in await activities(cloud) if each["StatusCode"] == "Successful"]

    (done,) = await until(fulfilled, "a successful activity")
    assert done["StatusMessage"] == "Successfully set desired count to 1. Change successfully fulfilled by ecs."
    assert done["EndTime"] >= done["StartTime"]


async def test_an_activity_is_fulfilled_when_it_is_and_not_when_somebody_looks(cloud: ScalingWorld) -> None:
    await register(cloud)
    await cloud.alarm(AlarmActions=[await step_policy(cloud, FOLLOW)])
    await cloud.publish(1)
    await desired(cloud, 1)
    before = cloud.ecs.described
    cloud.ecs.settle()

    async def looked() -> bool:
        return cloud.ecs.described > before

    await until(looked, "a look at the service")
    cloud.web.running = 0

    async def fulfilled() -> list[dict[str, Any]]:
        return [each for each in await activities(cloud) if each["StatusCode"] == "Successful"]

    assert await until(fulfilled, "a successful activity")


async def test_when_somebody_else_changes_the_count_the_activity_is_overridden(cloud: ScalingWorld) -> None:
    await register(cloud)
    await cloud.alarm(AlarmActions=[await step_policy(cloud, FOLLOW)])
    await cloud.publish(1)
    await desired(cloud, 1)
    await cloud.call("ecs", "UpdateService", cluster=CLUSTER, service="web", desiredCount=2)
    assert [each["StatusCode"] for each in await activities(cloud)] == ["Overridden"]


async def test_ecs_refusing_is_a_failed_activity_with_its_reason(cloud: ScalingWorld) -> None:
    await register(cloud)
    cloud.ecs.refuses = "Service is draining."
    await cloud.alarm(AlarmActions=[await step_policy(cloud, FOLLOW)])
    await cloud.publish(1)

    async def failed() -> list[dict[str, Any]]:
        return [each for each in await activities(cloud) if each["StatusCode"] == "Failed"]

    (activity,) = await until(failed, "a failed activity")
    assert activity["StatusMessage"] == "Failed to set desired count to 1. Reason: Service is draining."


async def test_capacity_stays_within_the_target_s_bounds(cloud: ScalingWorld) -> None:
    await register(cloud, high=2)
    await cloud.alarm(AlarmActions=[await step_policy(cloud, FOLLOW)])
    await cloud.publish(9)
    await desired(cloud, 2, [2])


async def test_nothing_is_done_and_it_is_told_when_the_service_is_at_its_maximum(cloud: ScalingWorld) -> None:
    cloud.web.desired = cloud.web.running = 3
    await register(cloud)
    await cloud.alarm(AlarmActions=[await step_policy(cloud, ONE_MORE, "ChangeInCapacity")])
    await cloud.publish(1)
    (activity,) = await not_scaled(cloud)
    assert activity["NotScaledReasons"] == [{"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 3}]
    assert cloud.ecs.updates == []
    assert await activities(cloud) == []


async def test_a_change_starts_from_the_tasks_that_run(cloud: ScalingWorld) -> None:
    cloud.web.desired, cloud.web.running = 2, 1
    await register(cloud)
    await cloud.alarm(AlarmActions=[await step_policy(cloud, ONE_MORE, "ChangeInCapacity")])
    await cloud.publish(1)
    (activity,) = await not_scaled(cloud)
    assert activity["NotScaledReasons"] == [{"Code": "AlreadyAtDesiredCapacity", "CurrentCapacity": 2}]


async def test_the_policy_is_invoked_again_every_minute_while_the_alarm_stays() -> None:
    async with scaling_world(scale=300) as cloud:
        await register(cloud, high=3)
        policy = await step_policy(cloud, ONE_MORE, "ChangeInCapacity")
        await cloud.alarm(TreatMissingData="breaching", AlarmActions=[policy])
        for count in (1, 2, 3):
            await desired(cloud, count)
            cloud.ecs.settle()
        assert cloud.ecs.updates == [1, 2, 3]


async def test_scaling_out_during_a_cooldown_adds_only_what_a_larger_step_adds_more() -> None:
    async with scaling_world(scale=300) as cloud:
        await register(cloud, high=9)
        steps = [
            {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 5, "ScalingAdjustment": 2},
            {"MetricIntervalLowerBound": 5, "ScalingAdjustment": 3},
        ]
        policy = await step_policy(cloud, steps, "ChangeInCapacity", Cooldown=36000)
        await cloud.alarm("small", TreatMissingData="breaching", AlarmActions=[policy])
        await desired(cloud, 2, [2])
        cloud.ecs.settle()
        await not_scaled(cloud)
        await cloud.alarm("large", AlarmActions=[policy])
        await set_state(cloud, "large", "ALARM", 9.0)
        await desired(cloud, 3, [2, 3])


async def test_scaling_in_waits_for_the_cooldown(cloud: ScalingWorld) -> None:
    cloud.web.desired = cloud.web.running = 2
    await register(cloud)
    one_less = [{"MetricIntervalUpperBound": 0, "ScalingAdjustment": -1}]
    for name, cooldown in (("patient", 600), ("eager", 0)):
        policy = await step_policy(cloud, one_less, "ChangeInCapacity", name=name, Cooldown=cooldown)
        await cloud.alarm(name, ComparisonOperator="LessThanThreshold", Statistic="Sum", AlarmActions=[policy])
    await set_state(cloud, "eager", "ALARM")
    await desired(cloud, 1, [1])
    cloud.ecs.settle()
    await set_state(cloud, "patient", "ALARM")
    assert await action_errors(cloud, 2) == ["", ""]
    assert cloud.ecs.updates == [1]
    await set_state(cloud, "eager", "OK")
    await set_state(cloud, "eager", "ALARM")
    await desired(cloud, 0, [1, 0])


async def test_suspended_scaling_does_nothing_until_it_is_resumed(cloud: ScalingWorld) -> None:
    await register(cloud, SuspendedState={"DynamicScalingOutSuspended": True})
    await cloud.alarm(Statistic="Sum", AlarmActions=[await step_policy(cloud, FOLLOW)])
    await cloud.publish(1)
    assert await action_errors(cloud) == [""]
    assert cloud.ecs.updates == []
    await register(cloud, SuspendedState={"DynamicScalingOutSuspended": False})
    await cloud.publish(-1)
    await cloud.in_state("OK")
    await cloud.publish(1)
    await desired(cloud, 1, [1])


async def test_a_breach_without_a_step_is_an_error_in_the_alarm_s_history(cloud: ScalingWorld) -> None:
    await register(cloud)
    policy = await step_policy(cloud, ONE_MORE)
    await cloud.alarm(ComparisonOperator="LessThanThreshold", AlarmActions=[policy])
    await cloud.publish(0)
    assert await action_errors(cloud) == ["No step adjustment found for metric value [0.0] and breach threshold 1.0"]


@pytest.mark.parametrize(
    ("before", "bounds", "after", "cause"),
    [
        (0, (1, 3), 1, "minimum capacity was set to 1"),
        (5, (0, 3), 3, "maximum capacity was set to 3"),
    ],
)
async def test_registering_brings_a_service_within_its_bounds(
    cloud: ScalingWorld, before: int, bounds: tuple[int, int], after: int, cause: str
) -> None:
    cloud.web.desired = cloud.web.running = before
    await register(cloud, *bounds)
    assert cloud.ecs.updates == [after]
    assert [each["Cause"] for each in await activities(cloud)] == [cause]


async def test_a_target_tells_what_was_registered_and_keeps_what_is_not_changed(cloud: ScalingWorld) -> None:
    arn = await register(cloud, Tags={"stack": "it"})
    await cloud.call("application-autoscaling", "RegisterScalableTarget", **RESOURCE, MaxCapacity=5)
    answer = await cloud.call("application-autoscaling", "DescribeScalableTargets", ServiceNamespace="ecs")
    (target,) = answer["ScalableTargets"]
    assert abs(target.pop("CreationTime").timestamp() - cloud.now) < 60
    assert target.pop("RoleARN").endswith("AWSServiceRoleForApplicationAutoScaling_ECSService")
    assert target == {
        **RESOURCE,
        "MinCapacity": 0,
        "MaxCapacity": 5,
        "ScalableTargetARN": arn,
        "SuspendedState": {
            "DynamicScalingInSuspended": False,
            "DynamicScalingOutSuspended": False,
            "ScheduledScalingSuspended": False,
        },
    }
    tags = await cloud.call("application-autoscaling", "ListTagsForResource", ResourceARN=arn)
    assert tags["Tags"] == {"stack": "it"}


async def test_a_policy_tells_its_configuration_and_the_alarms_that_call_on_it(cloud: ScalingWorld) -> None:
    await register(cloud)
    arn = await step_policy(cloud, FOLLOW)
    await cloud.alarm(AlarmActions=[arn])
    answer = await cloud.call("application-autoscaling", "DescribeScalingPolicies", ServiceNamespace="ecs")
    (policy,) = answer["ScalingPolicies"]
    assert arn.startswith("arn:aws:autoscaling:us-west-2:123456789012:scalingPolicy:")
    assert arn.endswith(f":resource/ecs/service/{CLUSTER}/web:policyName/follow")
    assert (policy["PolicyARN"], policy["PolicyType"]) == (arn, "StepScaling")
    assert policy["StepScalingPolicyConfiguration"]["StepAdjustments"] == FOLLOW
    assert policy["Alarms"] == [
        {"AlarmName": "busy", "AlarmARN": "arn:aws:cloudwatch:us-west-2:123456789012:alarm:busy"}
    ]


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


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        (
            {"ResourceId": f"service/{CLUSTER}/nobody"},
            "ValidationException",
            f"ECS service doesn't exist: service/{CLUSTER}/nobody",
        ),
        (
            {"ResourceId": "table/sessions"},
            "ValidationException",
            "Unsupported service namespace, resource type or scalable dimension",
        ),
        (
            {"ServiceNamespace": "dynamodb", "ScalableDimension": "dynamodb:table:ReadCapacityUnits"},
            "NotImplemented",
            "application-autoscaling:RegisterScalableTarget for the namespace dynamodb is not emulated.",
        ),
        (
            {"MinCapacity": 4},
            "ValidationException",
            "MinCapacity must be less than or equal to MaxCapacity, got 4 and 3",
        ),
    ],
)
async def test_a_target_that_cannot_be_scaled_is_refused(
    cloud: ScalingWorld, changes: dict[str, Any], code: str, message: str
) -> None:
    wanted = {**RESOURCE, "MinCapacity": 0, "MaxCapacity": 3, **changes}
    with pytest.raises(AwsError) as refused:
        await cloud.call("application-autoscaling", "RegisterScalableTarget", **wanted)
    assert refused.value.code == code
    assert refused.value.message.startswith(message)


async def test_a_policy_needs_a_registered_target(cloud: ScalingWorld) -> None:
    with pytest.raises(AwsError) as refused:
        await step_policy(cloud, FOLLOW)
    assert refused.value.code == "ObjectNotFoundException"
    assert refused.value.message == (
        f"No scalable target registered for service namespace: ecs, resource ID: service/{CLUSTER}/web, "
        "scalable dimension: ecs:service:DesiredCount"
    )


@pytest.mark.parametrize(
    ("operation", "params"),
    [("DeregisterScalableTarget", {}), ("DeleteScalingPolicy", {"PolicyName": "nothing"})],
)
async def test_removing_what_is_not_there_is_an_error(
    cloud: ScalingWorld, operation: str, params: dict[str, str]
) -> None:
    with pytest.raises(AwsError) as refused:
        await cloud.call("application-autoscaling", operation, **RESOURCE, **params)
    assert refused.value.code == "ObjectNotFoundException"
