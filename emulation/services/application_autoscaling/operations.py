"""The operations of Application Auto Scaling."""

from __future__ import annotations

from typing import Any

from ...core.controller import Call, Context
from ...core.errors import AwsError
from ...core.pagination import paginate
from ..cloudwatch.alarms import Alarms
from .autoscaler import Autoscaler
from .capacity import Bounds
from .policies import Policy, parse_policy
from .state import ScalingState
from .targets import SUSPENSIONS, ScalableTarget, TargetKey, check_namespace, invalid
from .tracking import TargetTracking

PAGE = 50
INVALID_TOKEN = AwsError("InvalidNextTokenException", "The token supplied is invalid")


class ScalingOperations:
    def __init__(self, ctx: Context, state: ScalingState, alarms: Alarms, autoscaler: Autoscaler) -> None:
        self._ctx = ctx
        self._state = state
        self._alarms = alarms
        self._autoscaler = autoscaler

    async def register_scalable_target(self, call: Call) -> dict[str, Any]:
        params = call.params
        key = TargetKey.of(params, call.operation)
        target = self._state.targets.get(key)
        low = params.get("MinCapacity", target.bounds.minimum if target else None)
        high = params.get("MaxCapacity", target.bounds.maximum if target else None)
        if low is None or high is None:
            raise invalid("MinCapacity and MaxCapacity are required to register a new scalable target")
        if low < 0 or high < 0:
            raise invalid(f"MinCapacity and MaxCapacity must not be negative, got {low} and {high}")
        if low > high:
            raise invalid(f"MinCapacity must be less than or equal to MaxCapacity, got {low} and {high}")
        if await self._autoscaler.counts(key) is None:
            raise invalid(f"ECS service doesn't exist: {key.resource_id}")
        target = self._state.targets.get(key) or self._new(key, call)
        self._state.targets[key] = target
        target.bounds = Bounds(low, high)
        suspended = params.get("SuspendedState") or {}
        target.suspended |= {name: suspended[name] for name in SUSPENSIONS if name in suspended}
        await self._autoscaler.enforce(target)
        return {"ScalableTargetARN": target.arn}

    async def deregister_scalable_target(self, call: Call) -> dict[str, Any]:
        key = TargetKey.of(call.params, call.operation)
        self._state.remove_target(key)
        for policy in self._state.policies_of(key):
            await self._delete(policy)
        return {}

    async def describe_scalable_targets(self, call: Call) -> dict[str, Any]:
        params = call.params
        check_namespace(params["ServiceNamespace"])
        wanted = params.get("ResourceIds")
        matching = [
            target.describe()
            for target in self._state.targets.values()
            if target.key.matches(params) and (not wanted or target.key.resource_id in wanted)
        ]
        return self._paged("ScalableTargets", matching, call)

    async def put_scaling_policy(self, call: Call) -> dict[str, Any]:
        params = call.params
        key, name = TargetKey.of(params, call.operation), params["PolicyName"]
        if self._state.targets.get(key) is None:
            raise AwsError("ObjectNotFoundException", f"No scalable target registered for {key}")
        old = self._state.policies.get((key, name))
        kind, configuration, rule = parse_policy(params, key, old)
        if old is not None and old.type != kind:
            raise invalid(f"The type of the policy {name} cannot be changed from {old.type} to {kind}")
        policy = old or Policy(
            name=name,
            arn=f"arn:aws:autoscaling:{call.region}:{call.account}:scalingPolicy:{self._ctx.ids.uuid()}"
            f":resource/{key.namespace}/{key.resource_id}:policyName/{name}",
            key=key,
            type=kind,
            configuration=configuration,
            rule=rule,
            created=self._ctx.clock.now(),
            alarm_ids={side: self._ctx.ids.uuid() for side in ("AlarmHigh", "AlarmLow")},
        )
        policy.configuration, policy.rule = configuration, rule
        self._state.policies[key, name] = policy
        if isinstance(rule, TargetTracking):
            await self._keep_alarms(policy, rule)
        return {"PolicyARN": policy.arn, "Alarms": self._alarms_of(policy)}

    async def delete_scaling_policy(self, call: Call) -> dict[str, Any]:
        key = TargetKey.of(call.params, call.operation)
        await self._delete(self._state.remove_policy(key, call.params["PolicyName"]))
        return {}

    async def describe_scaling_policies(self, call: Call) -> dict[str, Any]:
        params = call.params
        check_namespace(params["ServiceNamespace"])
        names = params.get("PolicyNames")
        matching = [
            {**policy.describe(), "Alarms": self._alarms_of(policy)}
            for policy in self._state.policies.values()
            if policy.key.matches(params) and (not names or policy.name in names or policy.arn in names)
        ]
        return self._paged("ScalingPolicies", matching, call)

    async def describe_scaling_activities(self, call: Call) -> dict[str, Any]:
        check_namespace(call.params["ServiceNamespace"])
        await self._autoscaler.refresh()
        matching = [activity.describe() for activity in self._state.matching_activities(call.params)]
        return self._paged("ScalingActivities", matching, call)

    async def describe_scheduled_actions(self, call: Call) -> dict[str, Any]:
        """Always empty: PutScheduledAction is not emulated."""
        check_namespace(call.params["ServiceNamespace"])
        return {"ScheduledActions": []}

    async def list_tags_for_resource(self, call: Call) -> dict[str, Any]:
        return {"Tags": dict(self._state.target_by_arn(call.params["ResourceARN"]).tags)}

    async def tag_resource(self, call: Call) -> dict[str, Any]:
        self._state.target_by_arn(call.params["ResourceARN"]).tags.update(call.params["Tags"])
        return {}

    async def untag_resource(self, call: Call) -> dict[str, Any]:
        tags = self._state.target_by_arn(call.params["ResourceARN"]).tags
        for key in call.params["TagKeys"]:
            tags.pop(key, None)
        return {}

    def _new(self, key: TargetKey, call: Call) -> ScalableTarget:
        role = (
            f"arn:aws:iam::{call.account}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/"
            "AWSServiceRoleForApplicationAutoScaling_ECSService"
        )
        return ScalableTarget(
            key=key,
            arn=f"arn:aws:application-autoscaling:{call.region}:{call.account}:scalable-target/{self._ctx.ids.alnum(36)}",
            bounds=Bounds(0, 0),
            role_arn=call.params.get("RoleARN") or role,
            created=self._ctx.clock.now(),
            tags=dict(call.params.get("Tags") or {}),
        )

    async def _keep_alarms(self, policy: Policy, rule: TargetTracking) -> None:
        wanted = rule.alarms(policy.key.resource_id, policy.alarm_ids, policy.arn)
        for alarm in wanted:
            await self._ctx.aws.call("cloudwatch", "PutMetricAlarm", **alarm)
        await self._drop_alarms(policy, keep={alarm["AlarmName"] for alarm in wanted})

    async def _drop_alarms(self, policy: Policy, keep: set[str]) -> None:
        names = [f"TargetTracking-{policy.key.resource_id}-{side}-{id}" for side, id in policy.alarm_ids.items()]
        obsolete = [name for name in names if name not in keep and self._alarms.get(name) is not None]
        if obsolete:
            await self._ctx.aws.call("cloudwatch", "DeleteAlarms", AlarmNames=obsolete)

    async def _delete(self, policy: Policy) -> None:
        if self._state.policies.get((policy.key, policy.name)) is policy:
            del self._state.policies[policy.key, policy.name]
        await self._drop_alarms(policy, keep=set())

    def _alarms_of(self, policy: Policy) -> list[dict[str, str]]:
        return [{"AlarmName": alarm.name, "AlarmARN": alarm.arn} for alarm in self._alarms.with_action(policy.arn)]

    def _paged(self, member: str, items: list[dict[str, Any]], call: Call) -> dict[str, Any]:
        size = min(call.params.get("MaxResults") or PAGE, PAGE)
        return paginate(items, call.params.get("NextToken"), size, INVALID_TOKEN).answer(member)
