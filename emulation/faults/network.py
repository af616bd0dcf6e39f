"""A target that its load balancer cannot reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..services.elbv2.links import Cut, Links
from .fault import FaultBase


@dataclass(frozen=True)
class TargetSettings:
    host: str
    port: int
    how: str = "silence"

    def __post_init__(self) -> None:
        if self.how not in ("silence", "refuse"):
            raise ValueError(
                f"how must be 'silence' (packets vanish) or 'refuse' (connections refused), got {self.how!r}"
            )


class CutFromLoadBalancer(FaultBase):
    """Health checks and requests to the target get no answer, or their connections are refused."""

    kind: ClassVar[str] = "cut-from-load-balancer"

    def __init__(self, links: Links, settings: TargetSettings) -> None:
        super().__init__(settings)
        self._links = links
        self._target = settings.host, settings.port
        self._refuses = settings.how == "refuse"
        self._cut: Cut | None = None
        self.excludes = f"{settings.host}:{settings.port} is cut from the load balancer"

    def counts(self) -> Mapping[str, int]:
        return {"blocked": self._cut.attempts if self._cut else 0}

    def begin(self) -> None:
        self._cut = self._links.cut(*self._target, refuses=self._refuses)

    def end(self) -> None:
        self._links.heal(*self._target)
