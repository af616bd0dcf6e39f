"""The state of Application Auto Scaling: scalable targets, policies and activities."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from ...core.errors import AwsError
from .activities import Activity
from .policies import Policy
from .targets import ScalableTarget, TargetKey

ACTIVITIES_KEPT = 1000
"""Activities of all targets together. (AWS keeps six weeks.)"""


class ScalingState:
    def __init__(self) -> None:
        self.targets: dict[TargetKey, ScalableTarget] = {}
        self.policies: dict[tuple[TargetKey, str], Policy] = {}
        """By target and name."""
        self.activities: deque[Activity] = deque(maxlen=ACTIVITIES_KEPT)
        """Newest first."""

    def remove_target(self, key: TargetKey) -> None:
        """Raises ObjectNotFoundException when it is not registered."""
        if self.targets.pop(key, None) is None:
            raise AwsError("ObjectNotFoundException", f"No scalable target found for {key}")

    def target_by_arn(self, arn: str) -> ScalableTarget:
        """Raises ResourceNotFoundException."""
        for target in self.targets.values():
            if target.arn == arn:
                return target
        raise AwsError("ResourceNotFoundException", f"Resource not found: {arn}")

    def policies_of(self, key: TargetKey) -> list[Policy]:
        return [policy for policy in self.policies.values() if policy.key == key]

    def policy_by_arn(self, arn: str) -> Policy | None:
        return next((policy for policy in self.policies.values() if policy.arn == arn), None)

    def remove_policy(self, key: TargetKey, name: str) -> Policy:
        """Raises ObjectNotFoundException when it does not exist."""
        policy = self.policies.pop((key, name), None)
        if policy is None:
            raise AwsError("ObjectNotFoundException", f"No scaling policy found for {key}, policy name: {name}")
        return policy

    def add_not_scaled(self, activity: Activity) -> None:
        """Keep an activity that changed nothing, unless the target's last activity is the same."""
        last = next((each for each in self.activities if each.key == activity.key), None)
        if last is None or (last.cause, last.not_scaled) != (activity.cause, activity.not_scaled):
            self.activities.appendleft(activity)

    def open_activities(self) -> list[Activity]:
        """The activities that wait for ECS."""
        return [activity for activity in self.activities if activity.status == "InProgress"]

    def matching_activities(self, params: Mapping[str, Any]) -> list[Activity]:
        """The activities that DescribeScalingActivities selects, newest first."""
        with_idle = params.get("IncludeNotScaledActivities", False)
        return [
            activity
            for activity in self.activities
            if activity.key.matches(params) and (with_idle or activity.not_scaled is None)
        ]
