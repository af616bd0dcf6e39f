"""Scaling activities: what auto scaling did to a target, and why."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..cloudwatch.wire import instant
from .capacity import Unchanged
from .targets import TargetKey

KEPT = 1000
"""Activities of all targets together. (AWS keeps six weeks.)"""


@dataclass
class Activity:
    id: str
    key: TargetKey
    description: str
    cause: str
    start: float
    status: str = "Pending"
    message: str | None = None
    end: float | None = None
    unchanged: Unchanged | None = None
    """Why nothing was scaled: such an activity is told only to those who ask for it."""
    wanted: int = 0

    @property
    def open(self) -> bool:
        return self.status == "InProgress"

    def finish(self, status: str, message: str, now: float) -> None:
        self.status, self.message, self.end = status, message, now

    def described(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "ActivityId": self.id,
            **self.key.described(),
            "Description": self.description,
            "Cause": self.cause,
            "StartTime": instant(self.start),
            "StatusCode": self.status,
        }
        if self.message is not None:
            told["StatusMessage"] = self.message
        if self.end is not None:
            told["EndTime"] = instant(self.end)
        if self.unchanged is not None:
            told["NotScaledReasons"] = [self.unchanged.described()]
        return told


class Activities:
    """The latest activities."""

    def __init__(self) -> None:
        self._activities: deque[Activity] = deque(maxlen=KEPT)

    def __iter__(self) -> Iterator[Activity]:
        """Newest first."""
        return reversed(self._activities)

    def add(self, activity: Activity) -> Activity:
        self._activities.append(activity)
        return activity

    def add_unchanged(self, activity: Activity) -> None:
        """Remember that nothing was done, unless that is what was last remembered of this target."""
        last = next((each for each in self if each.key == activity.key), None)
        same = last is not None and (last.cause, last.unchanged) == (activity.cause, activity.unchanged)
        if not same:
            self.add(activity)

    def open(self) -> list[Activity]:
        """Those that wait for ECS."""
        return [activity for activity in self if activity.open]

    def matching(self, params: Mapping[str, Any]) -> list[Activity]:
        """Those that DescribeScalingActivities asks for, newest first."""
        idle = params.get("IncludeNotScaledActivities", False)
        return [activity for activity in self if activity.key.matches(params) and (idle or activity.unchanged is None)]
