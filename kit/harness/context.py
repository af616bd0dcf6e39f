"""The context that all parts of a harness share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from ..backends.interface import Cloud
from ..core.clock import Clock
from ..core.eventually import eventually
from ..core.history import History
from ..core.ids import Ids
from ..settings import Settings
from ..system.facts import System
from .checks import Checks
from .phases import Timeline

T = TypeVar("T")


@dataclass
class Context:
    """The cloud, settings and records of one scenario."""

    cloud: Cloud
    settings: Settings
    history: History
    checks: Checks
    ids: Ids
    journeys: list[Timeline] = field(default_factory=list)
    """The journeys so far; the last one is under way."""

    @property
    def clock(self) -> Clock:
        return self.cloud.clock

    @property
    def system(self) -> System:
        return System(self.cloud.stack)

    @property
    def timeline(self) -> Timeline:
        """The phases of the current journey; the first use begins one."""
        if not self.journeys:
            self.journeys.append(Timeline(self.clock))
        return self.journeys[-1]

    async def eventually(
        self,
        probe: Callable[[], Awaitable[T]],
        *,
        within: float,
        describe: str,
        until: Callable[[T], bool] = bool,
        every: float = 1.0,
        backoff: float = 1.0,
        next: str = "",
        counts: bool = True,
    ) -> T:
        """`kit.core.eventually.eventually` on this cloud's clock; its success counts as a check if `counts`."""
        __tracebackhide__ = True
        value = await eventually(
            probe,
            within=within,
            clock=self.clock,
            describe=describe,
            until=until,
            every=every,
            backoff=backoff,
            evidence=self.checks.evidence,
            next=next,
            changes=self.cloud.changes,
        )
        if counts:
            self.checks.held(describe)
        return value
