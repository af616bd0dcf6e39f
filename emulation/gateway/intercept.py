"""Interception of API calls by faults, after a call is identified and before it is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ..core.controller import Caller
from ..core.errors import AwsError


@dataclass(frozen=True, slots=True)
class InterceptedCall:
    """A call over the wire that has not been answered yet."""

    service: str
    operation: str
    caller: Caller
    region: str
    read: Callable[[], Mapping[str, Any]] = field(default=dict, compare=False, repr=False)
    """Parses its parameters on demand; empty when they cannot be read."""


class CutOff(Exception):
    """Raised by an interceptor to close the connection without an answer, as a broken network does."""

    def __init__(self, until: asyncio.Event | None = None) -> None:
        super().__init__()
        self.until = until
        """Keep the connection open and silent until this event."""


Interceptor = Callable[[InterceptedCall], Awaitable[AwsError | None]]
"""Answers a call with the error that it returns or raises, delays it by sleeping, cuts it off, or passes it by
returning None. Sees calls of users and tasks, not those between parts of the cloud."""


class PendingCalls:
    """The calls over the wire in progress, so that a broken network can drop their answers."""

    def __init__(self) -> None:
        self._calls: dict[asyncio.Task[Any], InterceptedCall] = {}
        self._broken: dict[asyncio.Task[Any], asyncio.Event | None] = {}

    @contextmanager
    def answering(self, call: InterceptedCall) -> Iterator[None]:
        """Track a call while the block answers it, in a separate task. Raises `CutOff` when it is broken off."""
        task = asyncio.current_task()
        assert task is not None
        self._calls[task] = call
        try:
            yield
        except asyncio.CancelledError:
            if task in self._broken and not task.uncancel():
                raise CutOff(self._broken[task]) from None
            raise
        finally:
            del self._calls[task]
            self._broken.pop(task, None)

    def break_off(self, concerns: Callable[[InterceptedCall], bool], until: asyncio.Event | None = None) -> int:
        """Drop the answers of these calls and close their connections, at once or when `until` is set; returns how
        many."""
        concerned = [task for task, call in self._calls.items() if task not in self._broken and concerns(call)]
        for task in concerned:
            self._broken[task] = until
            task.cancel()
        return len(concerned)
