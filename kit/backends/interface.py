"""The protocols between the kit and a cloud.

scenario --> harness --> Cloud (aws, mail, clock, stack) <-- made by -- Backend
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..aws.client import Aws
from ..aws.outputs import Stack
from ..aws.undo import UndoBook
from ..core.changes import Changes
from ..core.clock import Clock
from ..core.threads import BlockingPool
from .capability import Level


class MailTransport(Protocol):
    """Delivers mail to the cloud."""

    async def send(self, message: bytes, sender: str, recipients: list[str]) -> str | None:
        """Deliver one mail and return once the cloud has accepted it.

        Returns the Message-ID that the cloud assigned, or None when the mail keeps the one it was written with.
        Raises `MailRefused` when the mail is refused for good; any other exception leaves the outcome open.
        """

    async def again(self, message: bytes, sender: str, recipients: list[str], message_id: str) -> None:
        """Deliver a mail a second time under the Message-ID it already has: mail and queues deliver at least once."""


class MailRefused(Exception):
    """The cloud refused a mail. Carries the code and text of the SMTP reply or of the API error."""

    definite = True

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text


class FaultApi(Protocol):
    """Makes the cloud itself fail on request. Only the emulated cloud has one."""

    async def inject(self, id: str, kind: str, settings: Mapping[str, Any]) -> None:
        """Start a fault. Raises `UsageError` when it is refused; nothing has happened then."""

    async def counts(self, id: str) -> Mapping[str, int]:
        """The fault's counters so far. Works after its end as well."""

    async def undo(self, id: str) -> None:
        """End a fault. Harmless when it has ended, never began, or is gone with its cloud."""


@dataclass(frozen=True)
class Cloud:
    """A running cloud with the stack under test deployed. The same for every backend."""

    aws: Aws
    clock: Clock
    stack: Stack
    mail: MailTransport
    threads: BlockingPool
    region: str
    account: str
    capabilities: Mapping[str, Level]
    evidence: tuple[str, ...] = ()
    """Log files, named when something fails."""
    undo_book: UndoBook | None = None
    """Records each change before it is made, so that it can be undone after a kill; None for a cloud that ends with
    this process."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Put on every resource that is created in it."""
    base: Mapping[str, Any] = field(default_factory=dict)
    """The state store in use when it is not the embedded one: name, endpoint and the services it serves."""
    fault_api: FaultApi | None = None
    """None for a cloud that cannot be made to fail."""
    changes: Changes = field(default_factory=Changes)
    """Announces the changes of the services for which this cloud can; for all others, waits poll."""


class Backend(Protocol):
    """Creates a cloud and removes it again."""

    name: str

    def capabilities(self) -> Mapping[str, Level]:
        """What this backend supports; known before anything is started."""

    async def start(self) -> Cloud:
        """Start the cloud and deploy the stack; called once. Touches no foreign resources.

        Raises `UsageError` for bad input and `InfraError` for a failure on the way; nothing is left behind then.
        """

    async def health(self) -> str | None:
        """None while the cloud works; otherwise one sentence that says what broke."""

    async def internal_errors(self) -> list[str]:
        """The cloud's own unhandled errors since the last call; empty when it reports none."""

    async def stop(self, *, keep: bool = False) -> None:
        """End everything it started. May be called at any time and repeatedly; never raises for what is gone.

        `keep` leaves the stack in a real account for inspection; processes on this machine end all the same.
        Raises `InfraError` that names what could not be removed.
        """
