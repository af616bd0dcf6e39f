"""Scaling policies: how an alarm changes the capacity of a scalable target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import not_emulated
from ...core.timestamps import instant
from .steps import StepScaling
from .targets import TargetKey, invalid
from .tracking import TargetTracking

STEP = "StepScaling"
TRACKING = "TargetTrackingScaling"
CONFIGURATIONS = {STEP: "StepScalingPolicyConfiguration", TRACKING: "TargetTrackingScalingPolicyConfiguration"}


@dataclass
class Policy:
    name: str
    arn: str
    key: TargetKey
    type: str
    configuration: dict[str, Any]
    """As PutScalingPolicy got it."""
    rule: StepScaling | TargetTracking
    """The parsed configuration."""
    created: float
    alarm_ids: dict[str, str] = field(default_factory=dict)
    """The UUIDs in the names of a target tracking policy's alarms, by side."""

    def describe(self) -> dict[str, Any]:
        return {
            "PolicyARN": self.arn,
            "PolicyName": self.name,
            **self.key.describe(),
            "PolicyType": self.type,
            CONFIGURATIONS[self.type]: self.configuration,
            "CreationTime": instant(self.created),
        }


def parse_policy(
    params: Mapping[str, Any], key: TargetKey, old: Policy | None
) -> tuple[str, dict[str, Any], StepScaling | TargetTracking]:
    """The type, configuration and rule in PutScalingPolicy's parameters. Raises `AwsError`."""
    kind = params.get("PolicyType") or (old.type if old else STEP)
    if kind == "PredictiveScaling":
        raise not_emulated("application-autoscaling", "PutScalingPolicy with PolicyType PredictiveScaling")
    if kind not in CONFIGURATIONS:
        raise invalid(f"PolicyType must be StepScaling, TargetTrackingScaling or PredictiveScaling, got {kind}")
    for other, member in CONFIGURATIONS.items():
        if other != kind and params.get(member) is not None:
            raise invalid(f"{member} cannot be specified for a policy of type {kind}")
    configuration = params.get(CONFIGURATIONS[kind])
    if configuration is None and old is not None and old.type == kind:
        return kind, old.configuration, old.rule
    if configuration is None:
        raise invalid(f"{CONFIGURATIONS[kind]} is required for a policy of type {kind}")
    try:
        rule = (
            StepScaling.parse(configuration)
            if kind == STEP
            else TargetTracking.parse(configuration, key.cluster, key.service)
        )
    except ValueError as wrong:
        raise invalid(str(wrong)) from None
    return kind, dict(configuration), rule
