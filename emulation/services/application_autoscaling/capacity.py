"""What a scalable target makes of a wish for capacity: its limits, and the reasons for doing nothing. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bounds:
    """MinCapacity and MaxCapacity."""

    minimum: int
    maximum: int

    def nearest(self, capacity: int) -> int:
        """The capacity within the bounds that is nearest."""
        return max(self.minimum, min(self.maximum, capacity))


@dataclass(frozen=True)
class Unchanged:
    """Why there is nothing to do: a code of NotScaledReason, and the capacity it is about."""

    code: str
    capacity: int

    def described(self) -> dict[str, object]:
        member = {"AlreadyAtMaxCapacity": "MaxCapacity", "AlreadyAtMinCapacity": "MinCapacity"}
        return {"Code": self.code, member.get(self.code, "CurrentCapacity"): self.capacity}


def decided(wanted: int, *, out: bool, desired: int, bounds: Bounds) -> int | Unchanged:
    """The new desired count, when a policy that scales out (or in) wants `wanted` and `desired` is set now.

    Scaling out never takes away and scaling in never adds, also when the present count lies outside the bounds.
    """
    limited = bounds.nearest(wanted)
    if out and limited <= desired:
        at_limit = desired >= bounds.maximum
        return Unchanged("AlreadyAtMaxCapacity", bounds.maximum) if at_limit else _already(desired)
    if not out and limited >= desired:
        at_limit = desired <= bounds.minimum
        return Unchanged("AlreadyAtMinCapacity", bounds.minimum) if at_limit else _already(desired)
    return limited


def _already(desired: int) -> Unchanged:
    return Unchanged("AlreadyAtDesiredCapacity", desired)
