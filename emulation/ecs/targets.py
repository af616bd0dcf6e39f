"""A task's places in target groups: registered when it runs, drained before it stops."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from emulation.controller import Context, TargetHealthChanged
from emulation.ecs.model import Target
from emulation.errors import AwsError

_DEFAULT_DELAY = 300.0
_MARGIN = 5.0
"""AWS seconds beyond the deregistration delay after which a silent load balancer is waited for no longer."""
_GONE = frozenset({"unused", "absent"})


@dataclass(frozen=True)
class _Place:
    target: Target
    gone: asyncio.Event = field(default_factory=asyncio.Event)


class Targets:
    """Registers and drains targets, and knows whom a word of the load balancer is about."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._places: dict[tuple[str, str, int], _Place] = {}

    async def register(self, target: Target) -> None:
        """Raises `AwsError`, for example when the target group is gone."""
        await self._ctx.aws.call("elbv2", "RegisterTargets", **_params(target))
        self._places[_key(target)] = _Place(target)
        target.state, target.reason = await self._state(target)

    async def drain(self, target: Target, *, wait: bool) -> None:
        """Take it out of service. Told to wait, return when the load balancer is done with it: at the latest after
        the group's deregistration delay."""
        place = self._places[_key(target)]
        try:
            place.gone.clear()
            await self._ctx.aws.call("elbv2", "DeregisterTargets", **_params(target))
            state, _ = await self._state(target)
            if wait and state not in _GONE:
                await self._gone(place)
        except AwsError as error:  # the target group was deleted: there is nothing to leave
            self._ctx.log.info("target %s:%s: %s", target.id, target.port, error)
        finally:
            self._places.pop(_key(target), None)

    def heard(self, news: TargetHealthChanged) -> Target | None:
        """Take the load balancer's word; the target it is about, if it is one of ours."""
        place = self._places.get((news.target_group_arn, news.target_id, news.port))
        if place is None:
            return None
        place.target.state, place.target.reason = news.state, news.reason
        if news.state in _GONE:
            place.gone.set()
        return place.target

    async def _gone(self, place: _Place) -> None:
        limit = await self._delay(place.target) + _MARGIN
        try:
            async with asyncio.timeout(self._ctx.clock.wall(limit)):
                await place.gone.wait()
        except TimeoutError:
            self._ctx.log.warning("%s was still draining %g seconds after it was deregistered", place.target, limit)

    async def _state(self, target: Target) -> tuple[str, str | None]:
        answer = await self._ctx.aws.call("elbv2", "DescribeTargetHealth", **_params(target))
        for each in answer["TargetHealthDescriptions"]:
            if (each["Target"]["Id"], each["Target"].get("Port")) == (target.id, target.port):
                return each["TargetHealth"]["State"], each["TargetHealth"].get("Reason")
        return "absent", None

    async def _delay(self, target: Target) -> float:
        answer = await self._ctx.aws.call("elbv2", "DescribeTargetGroupAttributes", TargetGroupArn=target.group_arn)
        values = {each["Key"]: each["Value"] for each in answer["Attributes"]}
        return float(values.get("deregistration_delay.timeout_seconds", _DEFAULT_DELAY))


def _key(target: Target) -> tuple[str, str, int]:
    return target.group_arn, target.id, target.port


def _params(target: Target) -> dict[str, object]:
    return {"TargetGroupArn": target.group_arn, "Targets": [{"Id": target.id, "Port": target.port}]}
