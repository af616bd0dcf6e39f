"""The system under test as mixes see it: what its sessions can do, what can go wrong, and where to look for markers.

A system of your own has one subject: a class with the members of `Subject`. The kit's own is `kit.mixes.webordinary`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..core.checkers import Checker
    from ..faults.fault import Fault
    from ..harness import Harness
    from .mix import Action
    from .play import Play


@dataclass(frozen=True)
class Kind:
    """A kind of action."""

    says: str
    """In words, for people: `sends a mail that adds page {label}`. May name `{label}`, `{amount}` and `{to}`."""
    opens: bool = False
    """Whether a strand may begin with it."""
    writes: bool = False
    """Whether it writes a marker of its own."""
    refers: bool = False
    """Whether it refers to another strand."""
    amounts: tuple[float, ...] = ()
    """What is drawn as its amount."""
    can_run_on: bool = False
    """Whether the strand may go on before its result is there."""
    needs: tuple[str, ...] = ()
    """The capabilities (`kit.backends.capability`) without which it is not drawn."""
    weight: int = 1
    """How often it is drawn, in relation to the others."""


@dataclass(frozen=True)
class FaultKind:
    """A kind of fault."""

    says: str
    """In words: `the edit task is killed`."""
    make: Callable[[Harness, int], Awaitable[Fault | None]]
    """Chooses its target when it is due, with the mix's seed; None when there is none then."""
    needs: tuple[str, ...] = ()


class Subject(Protocol):
    """A system whose sessions can be mixed."""

    kinds: Mapping[str, Kind]
    faults: Mapping[str, FaultKind]
    clients: Sequence[str]
    """Names of clients to draw from. Names that collide find more than names that differ."""
    users: Sequence[str]
    """Names of users; see `Person.user`."""
    checkers: Sequence[Checker]
    """Judge the history of a mix; see `kit.mixes.checkers`."""

    async def begin(self, play: Play) -> None:
        """Prepare a run of the mix, before its first action."""

    async def state(self, play: Play, strand: int) -> str:
        """The state of a strand's session now, such as `active`; for the table of what was covered."""

    async def perform(self, play: Play, strand: int, action: Action, label: str) -> None:
        """Perform one action, and record in the history what came of it; see `Play.instruct`.

        Raises only what ends the whole mix: `InfraError`. What the system does wrong is for the checkers.
        """

    async def observe(self, play: Play) -> None:
        """Record what can be seen of every strand now (`Play.saw`): at each barrier and at the end."""

    async def end(self, play: Play) -> None:
        """End every session and wait until nothing is left of the mix; back at zero if `play.mix.to_zero`."""

    async def clean(self, play: Play) -> None:
        """Remove what a mix that broke the system has left, so that the next one finds a sound ground."""
