"""The seam: one thing that goes wrong, for as long as it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol, runtime_checkable


class FaultRefused(Exception):
    """A fault that cannot be injected. The text says what was asked for, and what there is instead."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        """The HTTP status of the answer: 400 for what is wrong in itself, 404 for a target that is not there, 409
        for one that suffers the same fault already."""


class Fault(Protocol):
    """A fault injected into this cloud."""

    kind: ClassVar[str]

    @property
    def settings(self) -> Mapping[str, object]:
        """What it was asked to do, JSON-able."""
        ...

    @property
    def excludes(self) -> str | None:
        """A name for what only one fault can do at a time, as the end of one would end the other; None for no such
        thing."""
        ...

    def begin(self) -> None:
        """Let it happen from now on. Called once. Raises `FaultRefused`, and has changed nothing then."""
        ...

    def end(self) -> None:
        """Let it happen no more; what it held up goes on. Called once after `begin`. Does not raise, also when its
        target is gone."""
        ...

    def counts(self) -> Mapping[str, int]:
        """How often it did what, counted where it was done. Stays after its end."""
        ...


@runtime_checkable
class AsyncFault(Protocol):
    """A `Fault` whose beginning and end take a moment, because somebody else has to be asked."""

    async def settled(self) -> None:
        """Returns when what was begun last, the fault or its end, is done. Raises `FaultRefused` when that failed."""
        ...
