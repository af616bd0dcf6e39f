"""The state store: an AWS emulator that keeps declared resources, behind one small protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from .wire import HttpRequest, HttpResponse

__all__ = ["HttpRequest", "HttpResponse", "StateStore"]


class StateStore(Protocol):
    """Stores declared resources and answers every AWS call that no controller handles."""

    async def start(self) -> None:
        """Called once, before any call."""

    async def forward(self, service: str, operation: str, request: HttpRequest, request_id: str) -> HttpResponse:
        """Answer a client's request in the client's wire protocol, AWS errors and request id included. Raises
        `AwsError` for services and operations that the store lacks."""

    async def call(self, service: str, operation: str, region: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Make one call with botocore-shaped parameters; returns botocore-shaped output without `ResponseMetadata`.
        Raises `AwsError` with AWS's code, also for invalid parameters."""

    async def stop(self) -> None:
        """Drop all state. Must not raise."""

    def passes_on(self, service: str) -> bool:
        """Whether `forward` accepts the raw requests of a service; otherwise they go through `call`."""

    def warm(self) -> None:
        """Prepare in the background for the services of the stack."""

    def facts(self) -> Mapping[str, Any]:
        """Its entry in the readiness line; empty for the embedded store."""
