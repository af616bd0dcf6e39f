"""Durations in AWS and wall seconds, and whether they met a target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .clock import Clock, Moment


@dataclass(frozen=True)
class Duration:
    """The same duration in AWS seconds and in wall seconds."""

    aws_seconds: float
    seconds: float | None
    """None where only AWS time is known, on a clock that jumps."""
    target: float | None = None
    """The maximum, AWS seconds."""
    exact: bool = False
    """Whether `aws_seconds` would be the same in real time, as on a clock that jumps, where work takes as long as it
    does."""

    @classmethod
    def of(cls, aws_seconds: float, clock: Clock, target: float | None = None) -> Duration:
        """A duration between two AWS times."""
        jumps = clock.page is not None
        return cls(aws_seconds, None if jumps else aws_seconds / clock.scale, target, jumps)

    @classmethod
    def since(cls, began: Moment, clock: Clock, target: float | None = None) -> Duration:
        now = clock.moment()
        return cls(now.aws - began.aws, now.wall - began.wall, target, clock.page is not None)

    @property
    def met(self) -> bool | None:
        """Whether the target was met; None without a target, or when this clock cannot tell.

        A duration consists of timers, which run on AWS time, and this machine's work, which does not. In real time it
        would be between `seconds` (all work) and `aws_seconds` (all timers), so it is undecided when the target lies
        between the two.
        """
        if self.target is None:
            return None
        if self.exact or self.seconds is None:
            return self.aws_seconds <= self.target
        longest, shortest = max(self.aws_seconds, self.seconds), min(self.aws_seconds, self.seconds)
        if longest <= self.target:
            return True
        return False if shortest > self.target else None

    @property
    def on_this_machine(self) -> str:
        """The wall seconds as part of a sentence; empty where they are unknown."""
        return "" if self.seconds is None else f" = {self.seconds:.1f} s on this machine"

    def to_json(self) -> dict[str, Any]:
        wall = {} if self.seconds is None else {"seconds": round(self.seconds, 3)}
        times: dict[str, Any] = {**wall, "aws_seconds": round(self.aws_seconds, 3)}
        return times if self.target is None else {**times, "target_aws_seconds": self.target, "target_met": self.met}
