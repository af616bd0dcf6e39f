"""The seam of the audit: a kind of thing that a dead run can leave behind. The contract is in `kit.audit`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from .ledger import Noted


@dataclass(frozen=True)
class Runs:
    """What the ledger knows."""

    over: Sequence[Noted]
    alive: Sequence[Noted] = ()


@dataclass(frozen=True)
class Leftover:
    """One thing that is there and should not be."""

    what: str
    """For people: its kind and what it is known by, for example `process 4711 (python -m emulation)`."""
    token: str = ""
    """Of the run it is of; empty when no note tells."""
    key: Hashable = None
    """The place's own: what it needs to know the thing again."""


@runtime_checkable
class AuditsItself(Protocol):
    """A backend that looks for its own leftovers when it is stopped."""

    left_behind: list[str]
    """What it found, and what came of that, a line each; empty until then."""


class Place(Protocol):
    """Where something can be left. See `kit.audit` for what each method owes."""

    name: str

    async def look(self, runs: Runs) -> Sequence[Leftover]:
        """What is there of the runs that are over. Changes nothing."""
        ...

    async def clean(self, left: Sequence[Leftover], patience: float) -> Mapping[Leftover, str]:
        """End or remove it; what was done with each. `patience`: wall seconds for what ends by itself."""
        ...

    async def doubtful(self, runs: Runs) -> Sequence[Leftover]:
        """What looks like a run's and is in no note. Changes nothing."""
        ...
