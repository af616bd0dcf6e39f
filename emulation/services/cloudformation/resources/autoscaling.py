"""AWS::ApplicationAutoScaling."""

from __future__ import annotations

from typing import Any

from .. import shapes
from ..errors import PropertyError
from ..intrinsics import text
from ..summary import words
from .base import ResourceType, Work, tagging

_SERVICE = "application-autoscaling"
_TARGET = "ResourceId ScalableDimension ServiceNamespace"


async def create_target(work: Work) -> None:
    arn = await _register(work, work.params(_SERVICE, "RegisterScalableTarget", leave="ScheduledActions"))
    work.made("|".join(work.text(name) for name in _TARGET.split()), ScalableTargetArn=arn)
    work.attributes["Id"] = work.physical_id
    await _scheduled(work)


async def update_target(work: Work) -> None:
    params = work.params(_SERVICE, "RegisterScalableTarget", leave="ScheduledActions")
    params.pop("Tags", None)  # RegisterScalableTarget tags a new target only
    await _register(work, params)
    await _scheduled(work)


async def _register(work: Work, params: dict[str, Any]) -> str:
    answer = await work.call(_SERVICE, "RegisterScalableTarget", **params)
    return str(answer.get("ScalableTargetARN", ""))


async def _scheduled(work: Work) -> None:
    target = work.params(_SERVICE, "PutScheduledAction", only=_TARGET)
    has = {text(each["ScheduledActionName"]): each for each in work.get("ScheduledActions", [])}
    for each in work.before.get("ScheduledActions", []):
        if text(each["ScheduledActionName"]) not in has:
            name = text(each["ScheduledActionName"])
            await work.call(_SERVICE, "DeleteScheduledAction", ScheduledActionName=name, **target)
    if work.changed("ScheduledActions"):
        for each in has.values():
            params = shapes.parameters(_SERVICE, "PutScheduledAction", each)
            await work.call(_SERVICE, "PutScheduledAction", **target, **params)


async def delete_target(work: Work) -> None:
    await work.call(
        _SERVICE, "DeregisterScalableTarget", **work.params(_SERVICE, "DeregisterScalableTarget", only=_TARGET)
    )


async def create_policy(work: Work) -> None:
    answer = await _put(work)
    work.made(answer["PolicyARN"], Arn=answer["PolicyARN"], PolicyName=work.text("PolicyName"))


async def update_policy(work: Work) -> None:
    await _put(work)


async def _put(work: Work) -> dict[str, Any]:
    params = work.params(_SERVICE, "PutScalingPolicy", leave=f"ScalingTargetId {_TARGET}")
    return await work.call(_SERVICE, "PutScalingPolicy", **_target(work), **params)


async def delete_policy(work: Work) -> None:
    await work.call(_SERVICE, "DeleteScalingPolicy", PolicyName=work.text("PolicyName"), **_target(work))


def _target(work: Work) -> dict[str, str]:
    """What the policy scales: named by the target's physical id, or spelled out."""
    if "ScalingTargetId" in work.properties:
        parts = work.text("ScalingTargetId").split("|")
        if len(parts) != 3:
            raise PropertyError(
                f"ScalingTargetId must be the Ref of a ScalableTarget, got {work.text('ScalingTargetId')}"
            )
        return dict(zip(_TARGET.split(), parts, strict=True))
    if missing := [name for name in _TARGET.split() if name not in work.properties]:
        raise PropertyError(f"Without ScalingTargetId, {', '.join(missing)} must be given")
    return {name: work.text(name) for name in _TARGET.split()}


TYPES = (
    ResourceType(
        "AWS::ApplicationAutoScaling::ScalableTarget",
        properties=words(f"MaxCapacity MinCapacity RoleARN ScheduledActions SuspendedState Tags {_TARGET}"),
        required=words(f"MaxCapacity MinCapacity {_TARGET}"),
        replacing=words(_TARGET),
        attributes=words("Id"),
        create=create_target,
        update=update_target,
        delete=delete_target,
        retag=tagging(_SERVICE, "TagResource", "UntagResource", "ResourceARN", by="ScalableTargetArn"),
    ),
    ResourceType(
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        properties=words(
            f"PolicyName PolicyType PredictiveScalingPolicyConfiguration ScalingTargetId {_TARGET} "
            "StepScalingPolicyConfiguration TargetTrackingScalingPolicyConfiguration"
        ),
        required=words("PolicyName PolicyType"),
        replacing=words(f"PolicyName ScalingTargetId {_TARGET}"),
        attributes=words("Arn PolicyName"),
        create=create_policy,
        update=update_policy,
        delete=delete_policy,
    ),
)
