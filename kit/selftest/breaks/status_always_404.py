"""The status of a session is looked up by a wrong key: it is always 404."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from ..breaking import Break, part, rerouted


def apply() -> None:
    refused = part("answers").Refused

    def by(_handler: Callable[[Any], Awaitable[Any]]) -> Callable[[Any], Awaitable[Any]]:
        async def status(_request: Any) -> Any:
            raise refused(404, "Session not found")

        return status

    rerouted("hermes.api", "/status", by)


BREAK = Break("hermes", "cold_start", r"the status of GET \S+/status to be 200\nseen: 404", apply)
