"""The load balancer cannot reach one healthy target.

    ALB --X--> target     requests: 504 (silence) or 502 (refused); health checks fail, twice --> unhealthy
                          --> ECS replaces the task

The emulated load balancer cuts its link to this target. On AWS its security group excludes the target
(`security_group`): packets vanish, as security groups never refuse. Both affect new connections only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from ..aws.undo import DEADLINE, UndoCall, UndoRecord
from ..backends.capability import FAULT_NETWORK
from ..core.errors import InfraError, NotSupported, UsageError
from ..system.facts import SERVICES
from .context import FaultContext
from .effects import EmulatorEffect, RecordedEffect, TaskFault
from .emulator_fault import Counter
from .fault import Effect, Observation
from .security_group import Permission, Replacement, exclude_target

_BLOCKED = Counter("cut-from-load-balancer", "blocked", "attempt(s) of the load balancer blocked")
_UNSEEN = ("unhealthy", "draining", "unused")


@dataclass(frozen=True)
class CutFromLoadBalancer(TaskFault):
    """Cut the load balancer off from a task's target."""

    task: str
    """The task's ARN, or the target's `address:port`."""
    how: Literal["silence", "refuse"] = "silence"
    """Packets vanish, or connections are refused."""

    needs: ClassVar[tuple[str, ...]] = (FAULT_NETWORK,)
    within = 240.0

    async def inject(self, context: FaultContext) -> Effect:
        if self.task.startswith("arn:"):
            host, port = await context.address(await context.running_task(self.task))
        else:
            host, _, digits = self.task.rpartition(":")
            port = int(digits) if digits.isdigit() else 0
        if await _health(context, host, port) is None:
            raise UsageError(
                f"{host}:{port} is no target of the stack's load balancer", next="see h.services.targets('edit')"
            )
        if context.fault_api is None:
            return await _cut_by_group(context, host, port, self.how)
        blocked = await _BLOCKED.inject(context, host=host, port=port, how=self.how)
        return CutEffect(context, blocked, host, port)


@dataclass(frozen=True)
class CutEffect(EmulatorEffect):
    host: str
    port: int

    async def verify(self) -> Observation:
        blocked = await self.emulator_fault.verify()
        health = await _health(self.context, self.host, self.port) or "not registered any more"
        return Observation(blocked.effective, f"{blocked.what}; target {self.host}:{self.port} is {health}")


@dataclass(frozen=True)
class SecurityGroupEffect(RecordedEffect):
    """The effect of a security group that excludes the target."""

    host: str
    port: int

    async def verify(self) -> Observation:
        health = await _health(self.context, self.host, self.port) or "unused: taken out and replaced"
        return Observation(health.split()[0].rstrip(":") in _UNSEEN, f"target {self.host}:{self.port} is {health}")


async def _cut_by_group(context: FaultContext, host: str, port: int, how: str) -> SecurityGroupEffect:
    if how != "silence":
        raise NotSupported("a security group refuses no connection", next='CutFromLoadBalancer(…, how="silence")')
    arn = context.system.stack.load_balancer_arn
    balancer = (await context.aws.call("elbv2", "describe_load_balancers", LoadBalancerArns=[arn]))["LoadBalancers"][0]
    named = list(balancer.get("SecurityGroups", ()))
    default = [{"Name": "vpc-id", "Values": [balancer["VpcId"]]}, {"Name": "group-name", "Values": ["default"]}]
    which = {"GroupIds": named} if named else {"Filters": default}
    groups = (await context.aws.call("ec2", "describe_security_groups", **which))["SecurityGroups"]
    changes = [change for group in groups if (change := exclude_target(group, host, port)) is not None]
    if not changes:
        raise InfraError(f"no security group of {arn} allows traffic to {host}:{port} in the first place")
    calls = [call for change in changes for call in _undo_calls(change)]
    undo_record = UndoRecord.begin(
        context.undo_book, f"cut {context.ids.marker()}", calls, until=context.clock.now() + DEADLINE
    )
    cut = SecurityGroupEffect(context, undo_record, host, port)
    try:
        for change in changes:
            for call in _apply_calls(change):
                await context.aws.call(call.service, call.operation, **call.params)
    except BaseException:
        await cut.undo()
        raise
    return cut


def _apply_calls(change: Replacement) -> list[UndoCall]:
    """Add the new rules before revoking the old ones, so that other targets stay reachable."""
    return [
        *([_egress("authorize", change.group, change.instead)] if change.instead else []),
        _egress("revoke", change.group, change.lost),
    ]


def _undo_calls(change: Replacement) -> list[UndoCall]:
    """One rule a call: a call fails as a whole when one of its rules is in place already."""
    lost = [_egress("authorize", change.group, [each]) for each in change.lost]
    instead = [
        _egress("revoke", change.group, [{**each, "IpRanges": [entry]}])
        for each in change.instead
        for entry in each["IpRanges"]
    ]
    return [*lost, *instead]


def _egress(verb: str, group: str, permissions: Sequence[Permission]) -> UndoCall:
    return UndoCall(
        "ec2",
        f"{verb}_security_group_egress",
        {"GroupId": group, "IpPermissions": list(permissions)},
        gone=("InvalidPermission.Duplicate", "InvalidPermission.NotFound", "InvalidGroup.NotFound"),
    )


async def _health(context: FaultContext, host: str, port: int) -> str | None:
    """A target's state and reason from DescribeTargetHealth; None when it is not registered."""
    for service in SERVICES:
        group = context.system.target_group_arn(service)
        answer = await context.aws.call("elbv2", "describe_target_health", TargetGroupArn=group)
        for entry in answer["TargetHealthDescriptions"]:
            if (entry["Target"]["Id"], entry["Target"].get("Port", 0)) == (host, port):
                return f"{entry['TargetHealth']['State']} {entry['TargetHealth'].get('Reason', '')}".strip()
    return None
