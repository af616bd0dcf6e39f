"""The seed's scenario 1: from no container to a preview and back, entered by HTTP and by mail."""

from __future__ import annotations

from ..backends import capability
from ..harness import Harness
from ..harness.sessions import TestSession
from .registry import scenario
from .steps.contract_steps import verify_counted, verify_known, verify_looking_counts, verify_unknown
from .steps.journeys import back_to_zero, from_zero


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
        since = h.clock.now()
        async with from_zero(h, entry, prefix=f"{entry}: ") as journey:
            if entry == "http":
                await _verify_agreed(h, journey.session, since)
        await back_to_zero(h, journey, prefix=f"{entry}: ")


async def _verify_agreed(h: Harness, session: TestSession, since: float) -> None:
    """Check that the session is counted and every route answers by the contract."""
    with h.step("its count is published where the alarms look for it", target=h.timeouts.health):
        await verify_counted(h, since)
    with h.step("every route answers for it; for one that nobody opened they say so"):
        await verify_known(h, session)
        await verify_looking_counts(h, session)
        await verify_unknown(h, f"TEST_{h.new_marker()}")
