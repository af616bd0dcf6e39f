"""The protocol of a collector. Its contract is in `kit.audit`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from .notes import NotedRun


@dataclass(frozen=True)
class Runs:
    """The noted runs."""

    over: Sequence[NotedRun]
    alive: Sequence[NotedRun] = ()


@dataclass(frozen=True)
class Leftover:
    """One thing that a dead run left behind."""

    what: str
    """For people: its kind and name, for example `process 4711 (python -m emulation)`."""
    token: str = ""
    """Of its run; empty when no note has it."""
    key: Hashable = None
    """Private to the collector: identifies the thing when it is removed."""


@runtime_checkable
class SelfAudit(Protocol):
    """A backend that looks for its own leftovers when it is stopped."""

    left_behind: list[str]
    """One line for each leftover; empty until the backend is stopped."""


class Collector(Protocol):
    """Finds and removes one kind of leftover. See `kit.audit` for the contract of each method."""

    name: str

    async def look(self, runs: Runs) -> Sequence[Leftover]:
        """Leftovers of the runs that are over. Changes nothing."""

    async def clean(self, left: Sequence[Leftover], patience: float) -> Mapping[Leftover, str]:
        """End or remove leftovers; what was done with each. `patience`: wall seconds for what ends by itself."""

    async def doubtful(self, runs: Runs) -> Sequence[Leftover]:
        """Things that look like a run's and are in no note; none by default. Changes nothing."""
        return []
