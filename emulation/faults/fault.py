"""The protocol of a fault, and what all faults share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar, Protocol, runtime_checkable


class FaultRefused(Exception):
    """A fault that cannot be injected; the text says why, and what can be asked for instead."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        """The HTTP status of the answer: 400 for wrong settings, 404 for a missing target, 409 for a target that
        already has the same fault."""


class Fault(Protocol):
    """A fault injected into this cloud."""

    kind: ClassVar[str]

    @property
    def settings(self) -> Mapping[str, object]:
        """As requested, JSON-able."""

    @property
    def excludes(self) -> str | None:
        """Names an effect that only one fault can have at a time, because the end of one would end the other; None
        when there is no such effect."""

    def begin(self) -> None:
        """Begin the effect. Called once. Raises `FaultRefused`, and has changed nothing then."""

    def end(self) -> None:
        """End the effect and release what it held up. Called once after `begin`. Does not raise, not even when the
        target is gone."""

    def counts(self) -> Mapping[str, int]:
        """Named counts of what the fault did. Kept after its end."""


@runtime_checkable
class AsyncFault(Protocol):
    """A `Fault` whose begin and end take time, because something outside of this process does them."""

    async def settled(self) -> None:
        """Wait until the last begin or end is done. Raises `FaultRefused` when it failed."""


class FaultBase:
    """Settings and counts."""

    excludes: str | None = None

    def __init__(self, settings: Any, **counts: int) -> None:
        """`settings`: a dataclass."""
        self._settings = settings
        self._counts = Counter(counts)

    @property
    def settings(self) -> Mapping[str, object]:
        return asdict(self._settings)

    def counts(self) -> Mapping[str, int]:
        return dict(self._counts)
