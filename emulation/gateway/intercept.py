"""Where faults reach API calls: between telling what a call is and answering it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from emulation.controller import Caller
from emulation.errors import AwsError


@dataclass(frozen=True, slots=True)
class Intercepted:
    """A call that came over the wire, before anybody answered it."""

    service: str
    operation: str
    caller: Caller
    region: str


class CutOff(Exception):
    """Raised by an interceptor: the connection is closed without an answer, as by a broken network."""


Interceptor = Callable[[Intercepted], Awaitable[AwsError | None]]
"""May answer a call with the error it returns or raises, delay it by sleeping, cut it off, or let it pass with
None. Sees the calls of users and tasks, not those between the cloud's own parts."""
