"""Scaling activities: attempts to change the desired count of a target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...core.timestamps import instant
from .capacity import NotScaledReason
from .targets import TargetKey


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
    not_scaled: NotScaledReason | None = None
    """Why nothing was scaled; such activities are described only on request."""
    wanted: int = 0

    def finish(self, status: str, message: str, now: float) -> None:
        self.status, self.message, self.end = status, message, now

    def describe(self) -> dict[str, Any]:
        description: dict[str, Any] = {
            "ActivityId": self.id,
            **self.key.describe(),
            "Description": self.description,
            "Cause": self.cause,
            "StartTime": instant(self.start),
            "StatusCode": self.status,
        }
        if self.message is not None:
            description["StatusMessage"] = self.message
        if self.end is not None:
            description["EndTime"] = instant(self.end)
        if self.not_scaled is not None:
            description["NotScaledReasons"] = [self.not_scaled.describe()]
        return description
