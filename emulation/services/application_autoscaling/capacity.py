"""Limits a proposed capacity to the bounds of a scalable target. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bounds:
    """MinCapacity and MaxCapacity."""

    minimum: int
    maximum: int

    def nearest(self, capacity: int) -> int:
        """The nearest capacity within the bounds."""
        return max(self.minimum, min(self.maximum, capacity))


@dataclass(frozen=True)
class NotScaledReason:
    """Why the capacity does not change: AWS's code and the capacity in question."""

    code: str
    capacity: int

    def describe(self) -> dict[str, object]:
        member = {"AlreadyAtMaxCapacity": "MaxCapacity", "AlreadyAtMinCapacity": "MinCapacity"}
        return {"Code": self.code, member.get(self.code, "CurrentCapacity"): self.capacity}


def decide(wanted: int, *, out: bool, desired: int, bounds: Bounds) -> int | NotScaledReason:
    """The new desired count, for a policy that scales out (or in) to `wanted` from `desired`.

    Scaling out never removes tasks and scaling in never adds any, even when `desired` lies outside the bounds.
    """
    limited = bounds.nearest(wanted)
    if (limited > desired) if out else (limited < desired):
        return limited
    if out and desired >= bounds.maximum:
        return NotScaledReason("AlreadyAtMaxCapacity", bounds.maximum)
    if not out and desired <= bounds.minimum:
        return NotScaledReason("AlreadyAtMinCapacity", bounds.minimum)
    return NotScaledReason("AlreadyAtDesiredCapacity", desired)
