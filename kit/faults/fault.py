r"""The protocols of faults and their effects.

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
    """When the effect of a fault can be observed."""

    AT_ONCE = "at once"
    """By itself; the block of the fault begins once it is observed."""
    BY_USE = "by use"
    """Only through other activity; it is looked for at the end of the block at the latest."""


@dataclass(frozen=True)
class Observation:
    """One observation of an effect."""

    effective: bool
    what: str
    """What was observed, in words."""


class Effect(Protocol):
    """An injected fault.

    `verify` judges by observation from outside the system under test, never by the injection's success: a fault that
    does nothing must be reported as not effective. `undo` restores the previous state as far as possible; it may be
    called at any time, repeatedly, and when the target or the cloud is gone.
    """

    async def verify(self) -> Observation:
        """Observe once. Changes nothing. May raise errors of the observation itself."""

    async def undo(self) -> None:
        """End it. Raises `InfraError` only when the effect may still be there."""

    async def counts(self) -> Mapping[str, int]:
        """Counters of what it did, where the cloud counts; else empty."""


class Fault(Protocol):
    """A fault as a frozen dataclass, equal to any other with the same settings.

    Injecting it twice in a run does the same twice: randomness comes from its `seed`.
    """

    needs: ClassVar[tuple[str, ...]]
    """The capabilities (`kit.backends.capability`) that it needs."""
    visibility: ClassVar[Visibility]
    within: ClassVar[float]
    """AWS seconds within which the effect becomes visible."""

    @property
    def target(self) -> str:
        """The affected resource or calls: a word or an ARN."""

    async def inject(self, context: FaultContext) -> Effect:
        """Inject it; returns when that is done, which may be before its effect is visible.

        Raises `UsageError` for a missing target or invalid settings; nothing has happened then.
        """


class EffectNotSeen(KitError):
    """The effect of a fault was not observed: the scenario proves nothing, so its verdict is unknown."""
