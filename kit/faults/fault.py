r"""The seam: what can go wrong, as a value, and its effect, as something to look at and to undo.

Fault --inject--> Effect --verify--> Observation
                     \-----undo----> as before
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, ClassVar, Protocol

from ..core.errors import KitError

if TYPE_CHECKING:
    from .context import FaultContext


class Visibility(Enum):
    """When the effect of a fault can be seen."""

    AT_ONCE = "at once"
    """By itself; it is waited for before the block of the fault begins."""
    BY_USE = "by use"
    """By what others do meanwhile; it is looked for when the block ends, at the latest."""


@dataclass(frozen=True)
class Observation:
    """One look at an effect."""

    effective: bool
    what: str
    """What was seen, of the effect or in its place."""


class Effect(Protocol):
    """A fault that was injected.

    `verify` judges by what is seen from outside the system under test, never by having asked for it: a fault
    that does nothing must come out as not effective. `undo` brings back what was before, as far as it can come
    back; it may be called at any time, more than once, and when the target or the cloud is gone.
    """

    async def verify(self) -> Observation:
        """Look once whether the effect is there. Changes nothing. May raise what the look itself meets."""
        ...

    async def undo(self) -> None:
        """End it. Raises `InfraError` only when the effect may still be there."""
        ...

    async def counts(self) -> Mapping[str, int]:
        """How often it did what, where somebody counts; else nothing."""
        ...


class Fault(Protocol):
    """One thing that goes wrong: a frozen dataclass, equal to any other with the same settings.

    Injecting it twice in the same run does the same twice: what is random in it comes from its own `seed`.
    """

    needs: ClassVar[tuple[str, ...]]
    """Capabilities (`kit.backends.capability`) of a cloud that can do it."""
    visibility: ClassVar[Visibility]
    within: ClassVar[float]
    """AWS seconds in which the effect shows, if it shows."""

    @property
    def target(self) -> str:
        """What it befalls, in a word or an ARN."""
        ...

    async def inject(self, context: FaultContext) -> Effect:
        """Let it happen; returns when it was done, not when its effect is seen.

        Raises `UsageError` for a target that is not there or settings that cannot be; then nothing happened.
        """
        ...


class EffectNotSeen(KitError):
    """A fault whose effect nobody saw: what was observed under it shows nothing, so the verdict is unknown."""
