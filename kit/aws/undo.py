"""Undoes faults: the AWS calls that revert a fault are recorded as data before it is injected.

    book.intend --> inject --> (effect) --> undo --> book.removed
                      \\-- the run dies --> kit janitor reads the book --> the same calls --> removed

A run's ledger is such a book. A cloud that ends with its run needs none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from ..core.errors import InfraError

if TYPE_CHECKING:
    from ..core.clock import Clock
    from .client import Aws

FAULT_ENTRY = "fault"
"""The kind of a book's entries whose facts hold calls, below `undo`."""
DEADLINE = 600.0
"""AWS seconds after which any process may undo a fault, whatever its run is doing."""
_RETRIED_FOR = 120.0
"""AWS seconds in which a temporarily refused call is retried."""
_RETRY_EVERY = 2.0


@dataclass(frozen=True)
class UndoCall:
    """One AWS call, in boto3's spelling."""

    service: str
    operation: str
    params: Mapping[str, Any]
    gone: Sequence[str] = ()
    """Error codes that mean that there is nothing left to undo."""
    again: Sequence[str] = ()
    """Error codes that mean: retry later."""
    already: Sequence[str] = ()
    """Parts of error messages that mean that it is undone already."""

    def __str__(self) -> str:
        return f"{self.service}.{self.operation}"


class UndoBook(Protocol):
    """A durable record of changes to undo. Every method returns once its entry is on the disk."""

    def intend(self, kind: str, name: str, **facts: Any) -> Any:
        """Record an entry before the change is made."""

    def created(self, entry: Any, id: str = "", **facts: Any) -> Any:
        """Record that the change was made; `id` is AWS's id of the result."""

    def removed(self, entry: Any) -> Any:
        """Record that the change is undone for certain, or was never made."""


@dataclass
class UndoRecord:
    """The calls that undo one fault, with their entries in the book, if there is one."""

    book: UndoBook | None
    until: float
    """The deadline, AWS epoch seconds."""
    calls: list[UndoCall] = field(default_factory=list)
    entries: list[Any] = field(default_factory=list)

    @classmethod
    def begin(
        cls, book: UndoBook | None, name: str, calls: Iterable[UndoCall], *, until: float, id: str = ""
    ) -> UndoRecord:
        """Record the calls; `id` is AWS's id of a resource that exists already and that they remove."""
        record = cls(book, until)
        record._intend(name, list(calls), id)
        return record

    def add(self, name: str, call: UndoCall, *, id: str) -> None:
        """Record one more call, to be made before the others; `id` is AWS's id of the resource it removes."""
        self._intend(name, [call], id)

    async def undo(self, aws: Aws, clock: Clock) -> None:
        """Make the calls and close the entries. Repeating it does nothing. Raises `InfraError`."""
        await make_calls(aws, clock, self.calls)
        self.calls.clear()
        while self.book is not None and self.entries:
            self.book.removed(self.entries.pop())

    def _intend(self, name: str, calls: list[UndoCall], id: str) -> None:
        self.calls[:0] = calls
        if self.book is not None:
            undo = [asdict(each) for each in calls]
            entry = self.book.intend(FAULT_ENTRY, name, until=self.until, undo=undo)
            self.entries.append(self.book.created(entry, id) if id else entry)


async def undo_entry(aws: Aws, clock: Clock, facts: Mapping[str, Any]) -> None:
    """Undo a recorded fault by the facts of its entry. Harmless when repeated. Raises `InfraError`."""
    await make_calls(aws, clock, [UndoCall(**each) for each in facts.get("undo", ())])


async def make_calls(aws: Aws, clock: Clock, calls: Iterable[UndoCall]) -> None:
    """Make the calls one after the other. Raises `InfraError` when any of them failed, after trying the rest."""
    failed = [why for call in calls if (why := await _make(aws, clock, call)) is not None]
    if failed:
        raise InfraError(f"a fault could not be undone: {'; '.join(failed)}", next="kit janitor tries it again")


async def _make(aws: Aws, clock: Clock, call: UndoCall) -> str | None:
    from botocore.exceptions import ClientError  # noqa: PLC0415 - heavy: only where a call is made

    deadline = clock.now() + _RETRIED_FOR
    while True:
        try:
            await aws.call(call.service, call.operation, **call.params)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in call.gone or any(words in error.response["Error"]["Message"] for words in call.already):
                return None
            if code in call.again and clock.now() < deadline:
                await clock.sleep(_RETRY_EVERY)
                continue
            return f"{call}: {error}"
        return None
