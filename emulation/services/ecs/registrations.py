"""Registers tasks in target groups and drains them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from ...core.controller import Context, TargetHealthChanged
from ...core.errors import AwsError
from .model import Target

_DEFAULT_DELAY = 300.0
_MARGIN = 5.0
"""AWS seconds to wait for the load balancer beyond the deregistration delay."""
_GONE = frozenset({"unused", "absent"})


@dataclass(frozen=True)
class _Registration:
    target: Target
    gone: asyncio.Event = field(default_factory=asyncio.Event)


class TargetRegistrations:
    """Registers and drains targets, and records the health that the load balancer reports."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._registrations: dict[tuple[str, str, int], _Registration] = {}

    async def register(self, target: Target) -> None:
        """Raises `AwsError`, for example when the target group is gone."""
        self._registrations[_key(target)] = _Registration(target)
        await self._ctx.aws.call("elbv2", "RegisterTargets", **_params(target))
        state, reason = await self._state(target)
        if target.state == "initial":  # no newer state was published
            target.state, target.reason = state, reason

    async def deregister(self, target: Target) -> None:
        """Start draining; the target may still drain when this returns."""
        registration = self._registrations[_key(target)]
        registration.gone.clear()
        try:
            await self._ctx.aws.call("elbv2", "DeregisterTargets", **_params(target))
            state, _ = await self._state(target)
        except AwsError as error:  # the target group was deleted
            self._ctx.log.info("target %s:%s: %s", target.id, target.port, error)
            state = "absent"
        if state in _GONE:
            registration.gone.set()

    async def drained(self, target: Target) -> None:
        """Wait until it is drained, at most for the group's deregistration delay."""
        registration = self._registrations[_key(target)]
        if registration.gone.is_set():
            return
        limit = await self._delay(target) + _MARGIN
        try:
            async with self._ctx.clock.timeout(limit):
                await registration.gone.wait()
        except TimeoutError:
            self._ctx.log.warning("%s was still draining %g seconds after it was deregistered", target, limit)

    def forget(self, target: Target) -> None:
        self._registrations.pop(_key(target), None)

    def update(self, event: TargetHealthChanged) -> Target | None:
        """Record the health of a target; returns the target if it is registered here."""
        registration = self._registrations.get((event.target_group_arn, event.target_id, event.port))
        if registration is None:
            return None
        registration.target.state, registration.target.reason = event.state, event.reason
        if event.state in _GONE:
            registration.gone.set()
        return registration.target

    async def _state(self, target: Target) -> tuple[str, str | None]:
        answer = await self._ctx.aws.call("elbv2", "DescribeTargetHealth", **_params(target))
        for each in answer["TargetHealthDescriptions"]:
            if (each["Target"]["Id"], each["Target"].get("Port")) == (target.id, target.port):
                return each["TargetHealth"]["State"], each["TargetHealth"].get("Reason")
        return "absent", None

    async def _delay(self, target: Target) -> float:
        try:
            answer = await self._ctx.aws.call("elbv2", "DescribeTargetGroupAttributes", TargetGroupArn=target.group_arn)
        except AwsError:  # deleted
            return 0.0
        values = {each["Key"]: each["Value"] for each in answer["Attributes"]}
        return float(values.get("deregistration_delay.timeout_seconds", _DEFAULT_DELAY))


def _key(target: Target) -> tuple[str, str, int]:
    return target.group_arn, target.id, target.port


def _params(target: Target) -> dict[str, object]:
    return {"TargetGroupArn": target.group_arn, "Targets": [{"Id": target.id, "Port": target.port}]}
