"""The container answers health checks at another path than the target group asks: its target never becomes healthy."""

from typing import Any

from ..breaking import Break, part

BREAK = Break("edit", "readiness", r"target healthy, for session[\s\S]*unhealthy \(Target\.ResponseCodeMismatch\)")


@BREAK.reroutes("edit.api", "/api/health")
async def elsewhere(*_: Any) -> Any:
    raise part("answers").Refused(404, "Not found")
