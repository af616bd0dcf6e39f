"""Every route of Hermes and edit answers by the contract, for a session that exists and one that does not."""

from __future__ import annotations

from ..backends import capability
from ..harness import Harness
from ..system import facts
from ..system.facts import ACTIVE, EXPIRED
from .registry import scenario
from .steps.contract_steps import verify_counted, verify_known, verify_looking_counts, verify_unknown
from .steps.journeys import start_at_zero, verify_zero


@scenario(
    "contract",
    needs=(capability.LOAD_BALANCER, capability.SCALING, capability.METRICS),
    proves="what the services answer is what was agreed on, and asking for what is not there brings nothing to life",
    only_named="cold_start looks at all of it too",
)
async def contract(h: Harness) -> None:
    """One session from its opening to its end, by HTTP. The harness checks the format of every answer and row."""
    await start_at_zero(h)
    marker = h.new_marker()
    with h.step("1 a session is opened and counted", target=h.timeouts.wake):
        since = h.clock.now()
        session = await h.create_test_session(facts.add_page(f"Agreed Page {marker}"), marker=marker)
        await h.verify_session_exists(session)
    async with h.visiting(session):
        with h.step("2 its count is published where the alarms look for it", target=h.timeouts.health):
            await verify_counted(h, since)
        with h.step("3 its page is served", target=h.timeouts.container_ready):
            await h.wait_for_container_ready(session)
            await h.sessions.wait_for_status(session, ACTIVE, within=h.timeouts.container_ready)
            await verify_looking_counts(h, session)
        with h.step("4 its own routes answer for it"):
            await verify_known(h, session)
        with h.step("5 for a session that nobody opened they say so, and make none"):
            await verify_unknown(h, f"TEST_{h.new_marker()}")
    since = h.clock.now()
    with h.step("6 ended, it goes back to zero", target=h.timeouts.idle_shutdown):
        await h.session_api.end(session)
        answer = await h.session_api.ask(session.session_id, "status")
        if not answer.by_balancer:  # which answers when Hermes is already at zero
            h.checks.equal(answer.json().get("status"), EXPIRED, f"the status in the answer of {answer.url}")
        await verify_zero(h, [session], since=since)
