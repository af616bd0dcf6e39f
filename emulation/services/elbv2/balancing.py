"""Selects the target group and target of the next request."""

from __future__ import annotations

from ...core.ids import Ids
from .actions import Forward
from .targets import Pool, Target


class Balancer:
    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._shares: dict[Forward, list[int]] = {}

    def group(self, forward: Forward) -> str | None:
        """The next target group's ARN by nginx's smooth weighted round robin; None when every weight is 0."""
        if len(forward.groups) == 1:
            return forward.groups[0].target_group_arn if forward.groups[0].weight else None
        total = sum(group.weight for group in forward.groups)
        if not total:
            return None
        shares = self._shares.setdefault(forward, [0] * len(forward.groups))
        for index, group in enumerate(forward.groups):
            shares[index] += group.weight
        chosen = max(range(len(shares)), key=shares.__getitem__)
        shares[chosen] -= total
        return forward.groups[chosen].target_group_arn

    def target(self, pool: Pool, algorithm: str) -> Target | None:
        """The next target by the group's routing algorithm; None when no target is usable."""
        usable = pool.usable()
        if not usable:
            return None
        if len(usable) == 1:
            return usable[0]
        if algorithm == "weighted_random":
            return self._ids.chance("load balancer").choice(usable)
        pool.turn += 1
        first = pool.turn % len(usable)
        if algorithm == "least_outstanding_requests":
            rotated = usable[first:] + usable[:first]
            return min(rotated, key=lambda target: len(target.in_flight))
        return usable[first]
