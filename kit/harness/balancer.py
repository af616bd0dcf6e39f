"""The load balancer's configuration: its rules, idle timeout and deregistration delay."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from ..system.facts import Service
from .context import Context

_IDLE_TIMEOUT = "idle_timeout.timeout_seconds"
_LONGEST_IDLE_TIMEOUT = 4000.0
"""AWS seconds: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html"""
_DRAIN_DELAY = "deregistration_delay.timeout_seconds"


@dataclass(frozen=True)
class Rule:
    """One rule of a listener, the default included."""

    priority: str
    """A number, or `default`."""
    paths: tuple[str, ...]
    """Its path patterns; none for the default."""
    target_group_arn: str = ""
    """The target group it forwards to; empty for a fixed response."""
    fixed_status: int | None = None
    """The status of its fixed response, if it has one."""
    listener: str = ""
    """The ARN of its listener."""

    def __str__(self) -> str:
        action = f"answers {self.fixed_status}" if self.fixed_status else f"forwards to {self.target_group_arn}"
        return f"rule {self.priority} {' '.join(self.paths)} {action}"


class Balancer:
    """Reads and changes the attributes of the stack's load balancer."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._aws = context.cloud.aws

    @property
    def _arn(self) -> str:
        return self._context.cloud.stack.load_balancer_arn

    async def rules(self) -> list[Rule]:
        """The rules of all its listeners."""
        listeners = await self._aws.pages("elbv2", "describe_listeners", "Listeners", LoadBalancerArn=self._arn)
        return [
            _rule(each, listener["ListenerArn"])
            for listener in listeners
            for each in await self._aws.pages("elbv2", "describe_rules", "Rules", ListenerArn=listener["ListenerArn"])
        ]

    async def verify_rules(self, expected: Mapping[str, Sequence[str]]) -> Mapping[str, Rule]:
        """Check that each listener has exactly these path patterns by priority, and a fixed 404 as its default.

        Returns the rules by path pattern.
        """
        __tracebackhide__ = True
        rules, checks = await self.rules(), self._context.checks
        checks.check(rules, "the load balancer to have rules")
        for listener in sorted({rule.listener for rule in rules}):
            own = [rule for rule in rules if rule.listener == listener]
            checks.same(
                [(rule.priority, path) for rule in own for path in rule.paths],
                [(priority, path) for priority, paths in expected.items() for path in paths],
                "the priorities and path patterns of a listener",
            )
            defaults = [rule.fixed_status for rule in own if rule.priority == "default"]
            checks.equal(defaults, [404], "a listener's fixed responses")
        return {path: rule for rule in rules for path in rule.paths}

    async def idle_timeout(self) -> float:
        """AWS seconds without an answer after which a target's client gets a 504."""
        answer = await self._aws.call("elbv2", "describe_load_balancer_attributes", LoadBalancerArn=self._arn)
        return float(_value(answer, _IDLE_TIMEOUT))

    @asynccontextmanager
    async def patient(self) -> AsyncIterator[None]:
        """On a scaled clock (containers, rehearsals), add the machine's allowance to the idle timeout inside the block.

        For steps that keep this machine busy: its work does not speed up as the timeouts do. On any other clock nothing
        changes. The previous value is restored in any case.
        """
        clock = self._context.clock
        if clock.scale == 1:
            yield
            return
        before = await self.idle_timeout()
        await self._set_idle_timeout(min(clock.patience(before), _LONGEST_IDLE_TIMEOUT))
        try:
            yield
        finally:
            await self._set_idle_timeout(before)

    @asynccontextmanager
    async def drain_delay(self, service: Service, seconds: int) -> AsyncIterator[None]:
        """Let the service's targets drain for so many AWS seconds inside the block; restored in any case."""
        arn = self._context.system.target_group_arn(service)
        answer = await self._aws.call("elbv2", "describe_target_group_attributes", TargetGroupArn=arn)
        before = _value(answer, _DRAIN_DELAY)
        await self._set(arn, str(seconds))
        try:
            yield
        finally:
            await self._set(arn, before)

    async def _set_idle_timeout(self, seconds: float) -> None:
        attributes = [{"Key": _IDLE_TIMEOUT, "Value": f"{seconds:.0f}"}]
        await self._aws.call(
            "elbv2", "modify_load_balancer_attributes", LoadBalancerArn=self._arn, Attributes=attributes
        )

    async def _set(self, arn: str, seconds: str) -> None:
        attributes = [{"Key": _DRAIN_DELAY, "Value": seconds}]
        await self._aws.call("elbv2", "modify_target_group_attributes", TargetGroupArn=arn, Attributes=attributes)


def _rule(declared: dict[str, Any], listener: str) -> Rule:
    paths = tuple(
        value
        for condition in declared["Conditions"]
        if condition["Field"] == "path-pattern"
        for value in condition.get("PathPatternConfig", condition)["Values"]
    )
    action = declared["Actions"][-1]
    fixed = action.get("FixedResponseConfig")
    status = int(fixed["StatusCode"]) if fixed else None
    return Rule(declared["Priority"], paths, action.get("TargetGroupArn", ""), status, listener)


def _value(answer: dict[str, Any], key: str) -> str:
    return next(str(attribute["Value"]) for attribute in answer["Attributes"] if attribute["Key"] == key)
