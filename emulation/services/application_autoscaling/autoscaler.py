"""Executes scaling policies: from an alarm to the desired count of an ECS service."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from ...core.controller import Context, TaskChanged
from ...core.errors import AwsError
from ..cloudwatch.actions import Breach
from ..cloudwatch.alarms import Alarms
from .activities import Activity
from .capacity import Unchanged, decided
from .ledger import Ledger
from .policies import Policy
from .steps import StepScaling
from .targets import ScalableTarget, TargetKey
from .tracking import TargetTracking


@dataclass(frozen=True)
class Counts:
    """Of an ECS service."""

    desired: int
    running: int


@dataclass(frozen=True)
class Wish:
    """What a policy wants."""

    capacity: int
    out: bool
    base: int
    """The capacity it reckoned from."""


class Autoscaler:
    """One decision at a time. Starts from the tasks that run, as ECS service auto scaling does, not from those
    that are desired."""

    def __init__(self, ctx: Context, ledger: Ledger, alarms: Alarms) -> None:
        self._ctx = ctx
        self._ledger = ledger
        self._alarms = alarms
        self._deciding = asyncio.Lock()
        self._news = asyncio.Event()
        self._finisher: asyncio.Task[None] | None = None
        ctx.events.subscribe(TaskChanged, self._task_changed)

    def start(self) -> None:
        self._finisher = asyncio.get_running_loop().create_task(self._finish(), name="scaling activities")

    async def stop(self) -> None:
        if self._finisher is not None:
            self._finisher.cancel()
            await asyncio.gather(self._finisher, return_exceptions=True)

    async def counts(self, key: TargetKey) -> Counts | None:
        """How many tasks the service has; None when there is no such service."""
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
        """Do what the policy says to an alarm's breach. Raises `AwsError` when it says nothing or cannot be done."""
        policy = self._ledger.policies.with_arn(policy_arn)
        target = self._ledger.targets.get(policy.key) if policy is not None else None
        if policy is None or target is None:
            raise AwsError("ObjectNotFoundException", f"No scaling policy found with ARN {policy_arn}")
        async with self._deciding:
            counts = await self.counts(target.key)
            if counts is None:
                raise AwsError("ObjectNotFoundException", f"ECS service doesn't exist: {target.key.resource_id}")
            wish = self._wish(policy, target, counts, breach)
            if wish is not None:
                await self._grant(policy, target, counts, wish, breach)

    async def refresh(self) -> None:
        """Close the open activities whose change has come about, or has been overridden."""
        for activity in self._ledger.activities.open():
            counts = await self.counts(activity.key)
            now = self._ctx.clock.now()
            if counts is None:
                activity.finish("Failed", f"ECS service doesn't exist: {activity.key.resource_id}", now)
            elif counts.desired != activity.wanted:
                activity.finish("Overridden", f"Desired count was changed to {counts.desired}.", now)
            elif counts.running == activity.wanted:
                done = f"Successfully set desired count to {activity.wanted}. Change successfully fulfilled by ecs."
                activity.finish("Successful", done, now)

    def _wish(self, policy: Policy, target: ScalableTarget, counts: Counts, breach: Breach) -> Wish | None:
        """None: it must wait, is suspended, or has nothing to say."""
        rule = policy.rule
        wish = self._step(rule, target, counts, breach) if isinstance(rule, StepScaling) else None
        if isinstance(rule, TargetTracking):
            wish = self._tracked(policy, rule, target, counts, breach)
        if wish is None or self._cooling(rule, target, wish):
            return None
        suspended = target.suspended["DynamicScalingOutSuspended" if wish.out else "DynamicScalingInSuspended"]
        return None if suspended else wish

    def _step(self, rule: StepScaling, target: ScalableTarget, counts: Counts, breach: Breach) -> Wish | None:
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
        return Wish(max(0, wanted), out, base)

    def _tracked(
        self, policy: Policy, rule: TargetTracking, target: ScalableTarget, counts: Counts, breach: Breach
    ) -> Wish | None:
        if not breach.values:
            return None
        out = _above(breach)
        if not out and not self._all_low(policy):
            return None
        base = self._base(target, counts, rule.out_cooldown) if out else counts.running
        return Wish(rule.capacity(breach.values[-1], base, out=out), out, base)

    def _all_low(self, policy: Policy) -> bool:
        """Of several target tracking policies, all must agree before capacity is taken away."""
        others = [each for each in self._ledger.policies.of(policy.key) if each is not policy]
        return all(
            any("-AlarmLow-" in alarm.name and alarm.state == "ALARM" for alarm in self._alarms.with_action(other.arn))
            for other in others
            if isinstance(other.rule, TargetTracking) and other.rule.scale_in
        )

    def _base(self, target: ScalableTarget, counts: Counts, cooldown: float) -> int:
        """While a scale-out cools down, what it added counts as part of what the next one adds."""
        if target.scaled_out is not None and self._ctx.clock.now() < target.scaled_out + cooldown:
            return target.base
        return counts.running

    def _cooling(self, rule: StepScaling | TargetTracking, target: ScalableTarget, wish: Wish) -> bool:
        """Whether taking away has to wait. Adding never has to: see `_base`."""
        if wish.out:
            return False
        now = self._ctx.clock.now()
        if isinstance(rule, StepScaling):
            last = max(target.scaled_in or 0.0, target.scaled_out or 0.0)
            return now < last + rule.cooldown
        return now < (target.scaled_in or 0.0) + rule.in_cooldown

    async def _grant(self, policy: Policy, target: ScalableTarget, counts: Counts, wish: Wish, breach: Breach) -> None:
        cause = f"monitor alarm {breach.alarm} in state {breach.state} triggered policy {policy.name}"
        decision = decided(wish.capacity, out=wish.out, desired=counts.desired, bounds=target.bounds)
        now = self._ctx.clock.now()
        if isinstance(decision, Unchanged):
            tried = Activity(
                self._ctx.ids.uuid(), target.key, "Attempting to scale due to alarm triggered", cause, now, "Failed"
            )
            tried.unchanged = decision
            self._ledger.activities.add_unchanged(tried)
            return
        if await self._scale(target.key, decision, cause):
            target.scaled_out, target.scaled_in = (now, None) if wish.out else (None, now)
            target.base = wish.base

    async def _scale(self, key: TargetKey, wanted: int, cause: str) -> bool:
        now = self._ctx.clock.now()
        for older in self._ledger.activities.open():
            if older.key == key:
                older.finish("Overridden", f"Desired count was changed to {wanted}.", now)
        activity = self._ledger.activities.add(
            Activity(self._ctx.ids.uuid(), key, f"Setting desired count to {wanted}.", cause, now, wanted=wanted)
        )
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
        self._news.set()
        return True

    def _task_changed(self, event: TaskChanged) -> None:
        groups = {f"service:{activity.key.service}" for activity in self._ledger.activities.open()}
        if event.group in groups:
            self._news.set()

    async def _finish(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self.refresh()
            except Exception:
                self._ctx.log.exception("scaling activities could not be brought up to date")


def _above(breach: Breach) -> bool:
    return breach.comparison.startswith("Greater")
