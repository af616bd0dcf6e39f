"""AWS::ApplicationAutoScaling."""

from __future__ import annotations

from typing import Any

from .. import property_mapping
from ..errors import PropertyError
from ..intrinsics import text
from .base import Job, ResourceType, retagging

_SERVICE = "application-autoscaling"
_TARGET = "ResourceId ScalableDimension ServiceNamespace"


async def create_target(job: Job) -> None:
    arn = await _register(job, job.params(_SERVICE, "RegisterScalableTarget", omit="ScheduledActions"))
    job.created("|".join(job.text(name) for name in _TARGET.split()), ScalableTargetArn=arn)
    job.attributes["Id"] = job.physical_id
    await _scheduled(job)


async def update_target(job: Job) -> None:
    params = job.params(_SERVICE, "RegisterScalableTarget", omit="ScheduledActions")
    params.pop("Tags", None)  # RegisterScalableTarget tags a new target only
    await _register(job, params)
    await _scheduled(job)


async def _register(job: Job, params: dict[str, Any]) -> str:
    answer = await job.call(_SERVICE, "RegisterScalableTarget", **params)
    return str(answer.get("ScalableTargetARN", ""))


async def _scheduled(job: Job) -> None:
    target = job.params(_SERVICE, "PutScheduledAction", only=_TARGET)
    has = {text(each["ScheduledActionName"]): each for each in job.get("ScheduledActions", [])}
    for each in job.before.get("ScheduledActions", []):
        if text(each["ScheduledActionName"]) not in has:
            name = text(each["ScheduledActionName"])
            await job.call(_SERVICE, "DeleteScheduledAction", ScheduledActionName=name, **target)
    if job.changed("ScheduledActions"):
        for each in has.values():
            params = property_mapping.to_parameters(_SERVICE, "PutScheduledAction", each)
            await job.call(_SERVICE, "PutScheduledAction", **target, **params)


async def delete_target(job: Job) -> None:
    await job.send(_SERVICE, "DeregisterScalableTarget", only=_TARGET)


async def create_policy(job: Job) -> None:
    answer = await _put(job)
    job.created(answer["PolicyARN"], Arn=answer["PolicyARN"], PolicyName=job.text("PolicyName"))


async def _put(job: Job) -> dict[str, Any]:
    params = job.params(_SERVICE, "PutScalingPolicy", omit=f"ScalingTargetId {_TARGET}")
    return await job.call(_SERVICE, "PutScalingPolicy", **_target(job), **params)


async def update_policy(job: Job) -> None:
    await _put(job)


async def delete_policy(job: Job) -> None:
    await job.call(_SERVICE, "DeleteScalingPolicy", PolicyName=job.text("PolicyName"), **_target(job))


def _target(job: Job) -> dict[str, str]:
    """The scalable target, from its physical id or from the three properties that identify it."""
    if "ScalingTargetId" in job.properties:
        parts = job.text("ScalingTargetId").split("|")
        if len(parts) != 3:
            raise PropertyError(
                f"ScalingTargetId must be the Ref of a ScalableTarget, got {job.text('ScalingTargetId')}"
            )
        return dict(zip(_TARGET.split(), parts, strict=True))
    if missing := [name for name in _TARGET.split() if name not in job.properties]:
        raise PropertyError(f"Without ScalingTargetId, {', '.join(missing)} must be given")
    return {name: job.text(name) for name in _TARGET.split()}


TYPES = (
    ResourceType(
        "AWS::ApplicationAutoScaling::ScalableTarget",
        properties=f"MaxCapacity MinCapacity RoleARN ScheduledActions SuspendedState Tags {_TARGET}",
        required=f"MaxCapacity MinCapacity {_TARGET}",
        create_only=_TARGET,
        attributes="Id",
        create=create_target,
        update=update_target,
        delete=delete_target,
        retag=retagging(_SERVICE, by="ScalableTargetArn"),
    ),
    ResourceType(
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        properties=(
            f"PolicyName PolicyType PredictiveScalingPolicyConfiguration ScalingTargetId {_TARGET} "
            "StepScalingPolicyConfiguration TargetTrackingScalingPolicyConfiguration"
        ),
        required="PolicyName PolicyType",
        create_only=f"PolicyName ScalingTargetId {_TARGET}",
        attributes="Arn PolicyName",
        create=create_policy,
        update=update_policy,
        delete=delete_policy,
    ),
)
