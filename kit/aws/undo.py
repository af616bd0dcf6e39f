"""What takes a fault back, written down before the fault is injected: AWS calls, as data, for whoever cleans up.

    book.intend --> inject --> (effect) --> undo --> book.removed
                      \\-- the run dies --> somebody reads the book --> the same calls --> removed

A run's ledger is such a book. A cloud that dies with its run needs none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from ..core.errors import InfraError

if TYPE_CHECKING:
    from ..core.clock import Clock
    from .client import Aws

KIND = "fault"
"""The kind of a book's entries that hold calls in their facts, below `undo`."""
DEADLINE = 600.0
"""AWS seconds after which a fault may be taken back by anybody, whatever its run is doing."""
_TRIED_FOR = 120.0
"""AWS seconds in which a call that is refused for the moment is tried again."""
_AGAIN_EVERY = 2.0


@dataclass(frozen=True)
class UndoCall:
    """One call, as boto3 spells it."""

    service: str
    operation: str
    params: Mapping[str, Any]
    gone: Sequence[str] = ()
    """Error codes that say that there is nothing to take back any more."""
    again: Sequence[str] = ()
    """Error codes that say: not now."""
    already: Sequence[str] = ()
    """Words of an error that say that it is as it was."""

    def __str__(self) -> str:
        return f"{self.service}.{self.operation}"


class Entry(Protocol):
    """One line of the book."""

    @property
    def facts(self) -> Mapping[str, Any]: ...


class UndoBook(Protocol):
    """Where it is written down what has to be taken back. Every method returns when it is on the disk."""

    def intend(self, kind: str, name: str, **facts: Any) -> Any:
        """An entry, before anything happens."""
        ...

    def created(self, entry: Any, id: str = "", **facts: Any) -> Any:
        """It has happened; `id` is what AWS calls it."""
        ...

    def removed(self, entry: Any) -> Any:
        """It is taken back for certain, or never happened."""
        ...


@dataclass
class Page:
    """What the book holds of one fault, if there is a book."""

    book: UndoBook | None
    until: float
    """The deadline, AWS epoch seconds."""
    calls: list[UndoCall] = field(default_factory=list)
    entries: list[Any] = field(default_factory=list)

    @classmethod
    def begin(cls, book: UndoBook | None, name: str, calls: Iterable[UndoCall], *, until: float, id: str = "") -> Page:
        """Write the calls down; `id` is what AWS calls that which was made already and which they take back."""
        page = cls(book, until)
        page._intend(name, list(calls), id)
        return page

    def add(self, name: str, call: UndoCall, *, id: str) -> None:
        """One more call, made before the others; `id` is what AWS calls that which it takes back."""
        self._intend(name, [call], id)

    async def undo(self, aws: Aws, clock: Clock) -> None:
        """Make the calls, and strike the entries out. May be repeated. Raises `InfraError`."""
        await make(aws, clock, self.calls)
        while self.book is not None and self.entries:
            self.book.removed(self.entries.pop())

    def _intend(self, name: str, calls: list[UndoCall], id: str) -> None:
        self.calls[:0] = calls
        if self.book is not None:
            undo = [asdict(each) for each in calls]
            entry = self.book.intend(KIND, name, until=self.until, undo=undo)
            self.entries.append(self.book.created(entry, id) if id else entry)


async def undo_entry(aws: Aws, clock: Clock, facts: Mapping[str, Any]) -> None:
    """Take back what an entry of kind `KIND` holds. Harmless when that was done. Raises `InfraError`."""
    await make(aws, clock, [UndoCall(**each) for each in facts.get("undo", ())])


async def make(aws: Aws, clock: Clock, calls: Iterable[UndoCall]) -> None:
    """One call after the other. Raises `InfraError` when one of them did not get through; the rest is tried all the
    same."""
    failed = [why for call in calls if (why := await _make(aws, clock, call)) is not None]
    if failed:
        raise InfraError(f"a fault could not be taken back: {'; '.join(failed)}", next="kit janitor tries it again")


async def _make(aws: Aws, clock: Clock, call: UndoCall) -> str | None:
    from botocore.exceptions import ClientError  # noqa: PLC0415 - heavy: only where a call is made

    deadline = clock.now() + _TRIED_FOR
    while True:
        try:
            await aws.call(call.service, call.operation, **call.params)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in call.gone or any(words in error.response["Error"]["Message"] for words in call.already):
                return None
            if code in call.again and clock.now() < deadline:
                await clock.sleep(_AGAIN_EVERY)
                continue
            return f"{call}: {error}"
        return None
