"""Scaling policies: how an alarm changes the capacity of a scalable target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import AwsError, not_emulated
from ..cloudwatch.wire import instant
from .steps import StepScaling
from .targets import TargetKey, invalid
from .tracking import TargetTracking

STEP = "StepScaling"
TRACKING = "TargetTrackingScaling"
CONFIGURATIONS = {STEP: "StepScalingPolicyConfiguration", TRACKING: "TargetTrackingScalingPolicyConfiguration"}


@dataclass
class Policy:
    """`configuration` is told again as it was given; `rule` is what it means."""

    name: str
    arn: str
    key: TargetKey
    type: str
    configuration: dict[str, Any]
    rule: StepScaling | TargetTracking
    created: float
    alarm_ids: dict[str, str] = field(default_factory=dict)
    """The UUIDs in the names of a target tracking policy's alarms, by side."""

    def described(self) -> dict[str, Any]:
        return {
            "PolicyARN": self.arn,
            "PolicyName": self.name,
            **self.key.described(),
            "PolicyType": self.type,
            CONFIGURATIONS[self.type]: self.configuration,
            "CreationTime": instant(self.created),
        }


def configured(
    params: Mapping[str, Any], key: TargetKey, old: Policy | None
) -> tuple[str, dict[str, Any], StepScaling | TargetTracking]:
    """The type, configuration and meaning of PutScalingPolicy's parameters. Raises `AwsError`."""
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
            StepScaling.parsed(configuration)
            if kind == STEP
            else TargetTracking.parsed(configuration, key.cluster, key.service)
        )
    except ValueError as wrong:
        raise invalid(str(wrong)) from None
    return kind, dict(configuration), rule


class Policies:
    """The policies there are, by target and name, in the order of their creation."""

    def __init__(self) -> None:
        self._policies: dict[tuple[TargetKey, str], Policy] = {}

    def __iter__(self) -> Iterator[Policy]:
        return iter(list(self._policies.values()))

    def get(self, key: TargetKey, name: str) -> Policy | None:
        return self._policies.get((key, name))

    def of(self, key: TargetKey) -> list[Policy]:
        """The policies of one target."""
        return [policy for policy in self if policy.key == key]

    def with_arn(self, arn: str) -> Policy | None:
        return next((policy for policy in self if policy.arn == arn), None)

    def put(self, policy: Policy) -> None:
        self._policies[policy.key, policy.name] = policy

    def remove(self, key: TargetKey, name: str) -> Policy:
        """Raises ObjectNotFoundException when there is none."""
        policy = self._policies.pop((key, name), None)
        if policy is None:
            raise AwsError("ObjectNotFoundException", f"No scaling policy found for {key}, policy name: {name}")
        return policy
