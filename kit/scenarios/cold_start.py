"""The seed's scenario 1: from no container to a preview and back, entered by HTTP and by mail."""

from __future__ import annotations

from kit.backends import capability
from kit.harness import Harness
from kit.journeys import back_to_zero, from_zero
from kit.scenario import scenario


@scenario(
    "cold_start",
    needs=(
        capability.LOAD_BALANCER,
        capability.SCALING,
        capability.ECS_EXEC,
        capability.SHARED_WORKSPACE,
        capability.MAIL_IN,
        capability.METRICS,
    ),
    proves="a session wakes both services from zero, its page is served and kept, and idle they go back to zero",
)
async def cold_start(h: Harness) -> None:
    """All seven steps, once for each entry."""
    for entry in ("http", "mail"):
        async with from_zero(h, entry, prefix=f"{entry}: ") as opened:
            pass
        await back_to_zero(h, opened, prefix=f"{entry}: ")
