"""The container answers health checks at another path than the target group asks: its target never becomes healthy."""

from __future__ import annotations

from typing import Any

from ..breaking import Break, part, rerouted


def apply() -> None:
    refused = part("answers").Refused

    def by(_handler: Any) -> Any:
        async def elsewhere(_request: Any) -> Any:
            raise refused(404, "Not found")

        return elsewhere

    rerouted("edit.api", "/api/health", by)


BREAK = Break(
    "edit", "readiness", r"target healthy, for session[\s\S]*unhealthy \(Target\.ResponseCodeMismatch\)", apply
)
