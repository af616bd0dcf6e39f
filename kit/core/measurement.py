"""Durations in both clocks, and whether a target was met, as far as a fast clock can tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Duration:
    """How long something took: the same span in AWS seconds and in wall seconds."""

    aws_seconds: float
    seconds: float
    target: float | None = None
    """AWS seconds it should take at most."""

    @property
    def met(self) -> bool | None:
        """Whether the target was met; None when there is none, or when this clock cannot tell.

        A span holds timers, which run on AWS time, and this machine's own work, which does not. In real
        time it would have lasted between `seconds` (all of it work) and `aws_seconds` (all of it timers):
        above the target by either, or below it by both, is a decision; between them is none.
        """
        if self.target is None:
            return None
        longest, shortest = max(self.aws_seconds, self.seconds), min(self.aws_seconds, self.seconds)
        if longest <= self.target:
            return True
        return False if shortest > self.target else None

    def to_json(self) -> dict[str, Any]:
        times: dict[str, Any] = {"seconds": round(self.seconds, 3), "aws_seconds": round(self.aws_seconds, 3)}
        return times if self.target is None else {**times, "target_aws_seconds": self.target, "target_met": self.met}
