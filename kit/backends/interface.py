"""The seam between the kit and a cloud.

scenario --> harness --> Cloud (aws, alb, mail, clock, stack) <-- made by -- Backend
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..aws.client import Aws
from ..aws.outputs import Stack
from ..core.clock import Clock
from ..core.threads import Threads
from .capability import Level
from .emulated.faults import FaultDoor
from .live.ledger import Ledger


class MailDoor(Protocol):
    """How a mail enters the cloud."""

    async def send(self, message: bytes, sender: str, recipients: list[str]) -> str | None:
        """Deliver one mail; returns when the cloud has accepted it, with the Message-ID that the cloud gave it,
        or None when it keeps the one it was written with.

        Raises `MailRefused` when it is refused for good, and leaves the outcome open otherwise.
        """
        ...

    async def again(self, message: bytes, sender: str, recipients: list[str], message_id: str) -> None:
        """Deliver a mail once more that was sent already and travels under this Message-ID: the same mail twice,
        as mail and queues deliver at least once."""
        ...


class MailRefused(Exception):
    """The cloud refused a mail: the SMTP reply code and its text, or the API's."""

    definite = True

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text


@dataclass(frozen=True)
class Cloud:
    """A cloud with the stack under test deployed, ready to be used. The same for every backend."""

    aws: Aws
    clock: Clock
    stack: Stack
    mail: MailDoor
    threads: Threads
    region: str
    account: str
    capabilities: Mapping[str, Level]
    evidence: tuple[str, ...] = ()
    """Files that tell what happened, to be named when something fails."""
    ledger: Ledger | None = None
    """Where stands, before it is done, what must be taken back even if this process is killed; None for a cloud that
    ends with it."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """What everything that is created in it carries."""
    base: Mapping[str, Any] = field(default_factory=dict)
    """What holds its declared state, where that is not a part of it: name, endpoint, and which services it serves."""
    fault_door: FaultDoor | None = None
    """Where it takes orders to go wrong; None for a cloud that takes none."""


class Backend(Protocol):
    """Makes a cloud and takes it away again."""

    name: str

    def capabilities(self) -> Mapping[str, Level]:
        """What this backend can do; known before anything is started."""
        ...

    async def start(self) -> Cloud:
        """Bring up the cloud and deploy the stack; called once. Touches nothing that is not its own.

        Raises `UsageError` for what can be refused beforehand, `InfraError` for what failed on the way;
        then nothing is left behind.
        """
        ...

    async def health(self) -> str | None:
        """None while the ground holds; otherwise one sentence that says what broke."""
        ...

    async def faults(self) -> list[str]:
        """What the ground has told of faults of its own since the last call; empty when it tells none."""
        ...

    async def stop(self, *, keep: bool = False) -> None:
        """End everything it started. May be called at any time, more than once, and never raises for what is gone.

        `keep` leaves a stack in a real account as it is, to be looked at; what is on this machine ends all the same.
        Raises `InfraError` that names what could not be taken away.
        """
        ...
