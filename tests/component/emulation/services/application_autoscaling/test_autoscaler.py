"""Scaling policies, from the alarm to the desired count."""

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
    until,
)
from webordinary_testkit.emulation.core.errors import AwsError

FOLLOW = [
    {"MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 2.0, "ScalingAdjustment": 1},
    {"MetricIntervalLowerBound": 2.0, "ScalingAdjustment": 3},
]
ONE_MORE = [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}]
TO_ZERO = [{"MetricIntervalUpperBound": 0.0, "ScalingAdjustment": 0}]


@pytest.fixture
async def cloud() -> AsyncIterator[ScalingWorld]:
    async with scaling_world() as built:
        yield built


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


async def activities(cloud: ScalingWorld, **more: Any) -> list[dict[str, Any]]:
    answer = await cloud.call("application-autoscaling", "DescribeScalingActivities", ServiceNamespace="ecs", **more)
    found: list[dict[str, Any]] = answer["ScalingActivities"]
    return found


async def not_scaled(cloud: ScalingWorld) -> list[dict[str, Any]]:
    async def probe() -> list[dict[str, Any]]:
        return [each for each in await activities(cloud, IncludeNotScaledActivities=True) if "NotScaledReasons" in each]

    return await until(probe, "an activity that scaled nothing")


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
