"""Where declared state lives: an AWS emulator that stores what it is told, behind one small seam."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from .wire import HttpRequest, HttpResponse

__all__ = ["HttpRequest", "HttpResponse", "StateStore"]


class StateStore(Protocol):
    """Stores declared state. Answers any AWS call that no controller answers itself."""

    async def start(self) -> None:
        """Begin; called once, before any call."""
        ...

    async def forward(self, service: str, operation: str, request: HttpRequest, request_id: str) -> HttpResponse:
        """Answer a client's request in that client's own wire protocol, AWS errors and the request id included.
        Raises `AwsError` for what the base does not have."""
        ...

    async def call(self, service: str, operation: str, region: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Make one call with botocore-shaped parameters; returns botocore-shaped output, without
        `ResponseMetadata`. Raises `AwsError` with AWS's code, also for parameters its model refuses."""
        ...

    async def stop(self) -> None:
        """Forget everything. Must not raise."""
        ...

    def passes_on(self, service: str) -> bool:
        """Whether `forward` takes a service's requests as they came; what it does not take goes by `call`."""
        ...

    def warm(self) -> None:
        """Get ready in the background for what the stack will use."""
        ...

    def facts(self) -> Mapping[str, Any]:
        """What the readiness line says of it; nothing for the embedded base."""
        ...
