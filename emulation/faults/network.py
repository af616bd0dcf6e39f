"""The load balancer reaches one target no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar

from ..services.elbv2.links import Cut, Links


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


class CutFromLoadBalancer:
    """Health checks and requests to the target stay without an answer, or are refused a connection."""

    kind: ClassVar[str] = "cut-from-load-balancer"

    def __init__(self, links: Links, settings: TargetSettings) -> None:
        self._links = links
        self._settings = settings
        self._cut: Cut | None = None

    @property
    def settings(self) -> Mapping[str, object]:
        return asdict(self._settings)

    @property
    def excludes(self) -> str:
        return f"{self._settings.host}:{self._settings.port} is cut from the load balancer"

    def counts(self) -> Mapping[str, int]:
        return {"blocked": self._cut.attempts if self._cut else 0}

    def begin(self) -> None:
        host, port = self._settings.host, self._settings.port
        self._cut = self._links.cut(host, port, refuses=self._settings.how == "refuse")

    def end(self) -> None:
        self._links.heal(self._settings.host, self._settings.port)
