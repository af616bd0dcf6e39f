"""Executes scaling policies: an alarm's breach sets the desired count of an ECS service."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from ...core.controller import Context, TaskChanged
from ...core.errors import AwsError
from ..cloudwatch.actions import Breach
from ..cloudwatch.alarms import Alarms
from .activities import Activity
from .capacity import NotScaledReason, decide
from .policies import Policy
from .state import ScalingState
from .steps import StepScaling
from .targets import ScalableTarget, TargetKey
from .tracking import TargetTracking


@dataclass(frozen=True)
class Counts:
    """The task counts of an ECS service."""

    desired: int
    running: int


@dataclass(frozen=True)
class Proposal:
    """The capacity a policy computes."""

    capacity: int
    out: bool
    base: int
    """The capacity it was computed from."""


class Autoscaler:
    """Makes one decision at a time, based on the running count as ECS service auto scaling is, not the desired one."""

    def __init__(self, ctx: Context, state: ScalingState, alarms: Alarms) -> None:
        self._ctx = ctx
        self._state = state
        self._alarms = alarms
        self._deciding = asyncio.Lock()
        self._activity_changed = asyncio.Event()
        ctx.events.subscribe(TaskChanged, self._task_changed)

    async def run(self) -> None:
        """Update open activities until cancelled."""
        while True:
            await self._activity_changed.wait()
            self._activity_changed.clear()
            try:
                await self.refresh()
            except Exception:
                self._ctx.log.exception("scaling activities could not be brought up to date")

    async def counts(self, key: TargetKey) -> Counts | None:
        """The task counts of a service; None when it does not exist."""
        try:
            answer = await self._ctx.aws.call("ecs", "DescribeServices", cluster=key.cluster, services=[key.service])
        except AwsError as error:
            if error.code in ("ClusterNotFoundException", "ServiceNotFoundException"):
                return None
            raise
        for service in answer.get("services", ()):
            if service.get("status") != "INACTIVE":
                return Counts(service["desiredCount"], service["runningCount"])
        return None

    async def enforce(self, target: ScalableTarget) -> None:
        """Bring the service within the target's bounds, as AWS does when they are registered."""
        async with self._deciding:
            counts = await self.counts(target.key)
            if counts is None or counts.desired == (bound := target.bounds.nearest(counts.desired)):
                return
            which = "minimum" if bound > counts.desired else "maximum"
            await self._scale(target.key, bound, f"{which} capacity was set to {bound}")

    async def execute(self, policy_arn: str, breach: Breach) -> None:
        """Execute a policy. Raises `AwsError` when it does not exist, has no matching step or cannot be executed."""
        policy = self._state.policy_by_arn(policy_arn)
        target = self._state.targets.get(policy.key) if policy is not None else None
        if policy is None or target is None:
            raise AwsError("ObjectNotFoundException", f"No scaling policy found with ARN {policy_arn}")
        async with self._deciding:
            counts = await self.counts(target.key)
            if counts is None:
                raise AwsError("ObjectNotFoundException", f"ECS service doesn't exist: {target.key.resource_id}")
            proposal = self._propose(policy, target, counts, breach)
            if proposal is not None:
                await self._apply(policy, target, counts, proposal, breach)

    async def refresh(self) -> None:
        """Close the open activities whose change is complete or overridden."""
        for activity in self._state.open_activities():
            counts = await self.counts(activity.key)
            now = self._ctx.clock.now()
            if counts is None:
                activity.finish("Failed", f"ECS service doesn't exist: {activity.key.resource_id}", now)
            elif counts.desired != activity.wanted:
                activity.finish("Overridden", f"Desired count was changed to {counts.desired}.", now)
            elif counts.running == activity.wanted:
                done = f"Successfully set desired count to {activity.wanted}. Change successfully fulfilled by ecs."
                activity.finish("Successful", done, now)

    def _propose(self, policy: Policy, target: ScalableTarget, counts: Counts, breach: Breach) -> Proposal | None:
        """None when the policy cools down, is suspended or proposes nothing."""
        rule = policy.rule
        proposal = self._step(rule, target, counts, breach) if isinstance(rule, StepScaling) else None
        if isinstance(rule, TargetTracking):
            proposal = self._tracked(policy, rule, target, counts, breach)
        if proposal is None or self._cooling(rule, target, proposal):
            return None
        suspended = target.suspended["DynamicScalingOutSuspended" if proposal.out else "DynamicScalingInSuspended"]
        return None if suspended else proposal

    def _step(self, rule: StepScaling, target: ScalableTarget, counts: Counts, breach: Breach) -> Proposal | None:
        step = rule.step(breach.values, breach.threshold, above=_above(breach))
        if step is None:
            raise AwsError(
                "ValidationException",
                f"No step adjustment found for metric value {list(breach.values)} and breach threshold "
                f"{breach.threshold}",
            )
        base = self._base(target, counts, rule.cooldown)
        wanted = rule.capacity(step, base)
        out = wanted > counts.desired if rule.adjustment_type == "ExactCapacity" else step.adjustment > 0
        return Proposal(max(0, wanted), out, base)

    def _tracked(
        self, policy: Policy, rule: TargetTracking, target: ScalableTarget, counts: Counts, breach: Breach
    ) -> Proposal | None:
        if not breach.values:
            return None
        out = _above(breach)
        if not out and not self._all_low(policy):
            return None
        base = self._base(target, counts, rule.out_cooldown) if out else counts.running
        return Proposal(rule.capacity(breach.values[-1], base, out=out), out, base)

    def _all_low(self, policy: Policy) -> bool:
        """Capacity is removed only when all target tracking policies of the target agree."""
        others = [each for each in self._state.policies_of(policy.key) if each is not policy]
        return all(
            any("-AlarmLow-" in alarm.name and alarm.state == "ALARM" for alarm in self._alarms.with_action(other.arn))
            for other in others
            if isinstance(other.rule, TargetTracking) and other.rule.scale_in
        )

    def _base(self, target: ScalableTarget, counts: Counts, cooldown: float) -> int:
        """While a scale-out cools down, the next one starts from the same base, so that their additions overlap."""
        if target.scaled_out is not None and self._ctx.clock.now() < target.scaled_out + cooldown:
            return target.base
        return counts.running

    def _cooling(self, rule: StepScaling | TargetTracking, target: ScalableTarget, proposal: Proposal) -> bool:
        """Whether a scale-in has to wait. A scale-out never has to: see `_base`."""
        if proposal.out:
            return False
        now = self._ctx.clock.now()
        if isinstance(rule, StepScaling):
            last = max(target.scaled_in or 0.0, target.scaled_out or 0.0)
            return now < last + rule.cooldown
        return now < (target.scaled_in or 0.0) + rule.in_cooldown

    async def _apply(
        self, policy: Policy, target: ScalableTarget, counts: Counts, proposal: Proposal, breach: Breach
    ) -> None:
        cause = f"monitor alarm {breach.alarm} in state {breach.state} triggered policy {policy.name}"
        decision = decide(proposal.capacity, out=proposal.out, desired=counts.desired, bounds=target.bounds)
        now = self._ctx.clock.now()
        if isinstance(decision, NotScaledReason):
            tried = Activity(
                self._ctx.ids.uuid(), target.key, "Attempting to scale due to alarm triggered", cause, now, "Failed"
            )
            tried.not_scaled = decision
            self._state.add_not_scaled(tried)
            return
        if await self._scale(target.key, decision, cause):
            target.scaled_out, target.scaled_in = (now, None) if proposal.out else (None, now)
            target.base = proposal.base

    async def _scale(self, key: TargetKey, wanted: int, cause: str) -> bool:
        now = self._ctx.clock.now()
        for older in self._state.open_activities():
            if older.key == key:
                older.finish("Overridden", f"Desired count was changed to {wanted}.", now)
        activity = Activity(self._ctx.ids.uuid(), key, f"Setting desired count to {wanted}.", cause, now, wanted=wanted)
        self._state.activities.appendleft(activity)
        try:
            await self._ctx.aws.call(
                "ecs", "UpdateService", cluster=key.cluster, service=key.service, desiredCount=wanted
            )
        except AwsError as error:
            reason = f"Failed to set desired count to {wanted}. Reason: {error.message}"
            activity.finish("Failed", reason, self._ctx.clock.now())
            self._ctx.log.warning("%s: %s (%s)", key.resource_id, reason, cause)
            return False
        activity.status = "InProgress"
        activity.message = f"Successfully set desired count to {wanted}. Waiting for change to be fulfilled by ecs."
        self._activity_changed.set()
        return True

    def _task_changed(self, event: TaskChanged) -> None:
        groups = {f"service:{activity.key.service}" for activity in self._state.open_activities()}
        if event.group in groups:
            self._activity_changed.set()


def _above(breach: Breach) -> bool:
    return breach.comparison.startswith("Greater")
