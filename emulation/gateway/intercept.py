"""Where faults reach API calls: between telling what a call is and answering it."""

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
    """A call that came over the wire, before anybody answered it."""

    service: str
    operation: str
    caller: Caller
    region: str
    read: Callable[[], Mapping[str, Any]] = field(default=dict, compare=False, repr=False)
    """Its parameters, parsed when asked for; empty when they cannot be read."""


class CutOff(Exception):
    """Raised by an interceptor: the connection is closed without an answer, as by a broken network."""

    def __init__(self, until: asyncio.Event | None = None) -> None:
        super().__init__()
        self.until = until
        """Closed no sooner: the client sees silence before."""


Interceptor = Callable[[InterceptedCall], Awaitable[AwsError | None]]
"""May answer a call with the error it returns or raises, delay it by sleeping, cut it off, or let it pass with
None. Sees the calls of users and tasks, not those between the cloud's own parts."""


class PendingCalls:
    """The calls from the wire that are being answered now, so that a broken network can take their answers away."""

    def __init__(self) -> None:
        self._calls: dict[asyncio.Task[Any], InterceptedCall] = {}
        self._broken: dict[asyncio.Task[Any], asyncio.Event | None] = {}

    @contextmanager
    def answering(self, call: InterceptedCall) -> Iterator[None]:
        """Around the answering of a call, in a task of its own. Raises `CutOff` when it is broken off."""
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
        """End the calls concerned without an answer, their connections closed at once or when `until` is set;
        returns how many."""
        concerned = [task for task, call in self._calls.items() if task not in self._broken and concerns(call)]
        for task in concerned:
            self._broken[task] = until
            task.cancel()
        return len(concerned)
