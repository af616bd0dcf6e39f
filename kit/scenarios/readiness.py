"""Process alive, port open, target healthy and page served are four observations; only the last one is readiness."""

from __future__ import annotations

from kit import phases, system
from kit.backends import capability
from kit.harness import Harness
from kit.harness.sessions import TestSession
from kit.journeys import start_at_zero, verify_zero
from kit.scenario import scenario
from kit.system import ACTIVE, INITIALIZING

_WORKS_FOR = 60
"""AWS seconds that the agent takes for a page, so that there is time to see that it is not there."""
_NOTHING = {phases.PROCESS_ALIVE: False, phases.PORT_OPEN: False, phases.TARGET_HEALTHY: False}
_CONTAINER = {phases.PROCESS_ALIVE: True, phases.PORT_OPEN: True, phases.TARGET_HEALTHY: True}
_EVERYTHING = _CONTAINER | {phases.PAGE_SERVED: True}


@scenario(
    "readiness",
    needs=(
        capability.LOAD_BALANCER,
        capability.SCALING,
        capability.ECS_EXEC,
        capability.SHARED_WORKSPACE,
        capability.METRICS,
    ),
    proves="a session is called ready when its own page is served, and not for any sign of life before that",
)
async def readiness(h: Harness) -> None:
    """A cold session, seen in four ways at once; then one in a container that is up already, and not ready for it."""
    with h.step("1 at zero there is no sign of life"):
        await start_at_zero(h)
    h.journey("http")
    with h.step("2 a session is asked for", target=h.timeouts.wake):
        cold, page = await _asked_for(h)
        await h.readiness.verify(cold, page, _NOTHING)
    async with h.visiting(cold):
        with h.step("3 the four are seen, each by itself", target=h.timeouts.container_ready):
            await h.readiness.observe(cold, page, within=h.timeouts.container_ready)
        with h.step("4 a page that is served rests on the other three"):
            await h.readiness.verify(cold, page, _EVERYTHING)
            await h.sessions.wait_for_status(cold, ACTIVE, within=h.timeouts.health)
        h.journey("warm")
        with h.step("5 for the next one the container is up: it is not ready"):
            warm, page = await _asked_for(h, f"slow {_WORKS_FOR}\n")
            await h.readiness.verify(warm, page, {phases.PAGE_SERVED: False})
            await h.verify_session_status(warm, INITIALIZING)
            await h.readiness.verify(warm, page, _CONTAINER)
        with h.step(
            "6 it is called active when its own page is served", target=h.timeouts.container_ready + _WORKS_FOR
        ):
            await _active_with_its_page(h, warm, page)
            await h.readiness.verify(warm, page, _EVERYTHING)
        with h.step("7 the page of one is not taken for the other's"):
            answer = await h.fetch_preview(cold, page)
            h.checks.equal(answer.status, 404, f"the status of {answer.url}, a page of {warm}")
    with h.step("8 ended, it goes back to zero", target=h.timeouts.idle_shutdown):
        since = h.clock.now()
        for session in (cold, warm):
            await h.session_api.end(session)
        await verify_zero(h, [cold, warm], since=since)


async def _asked_for(h: Harness, before: str = "") -> tuple[TestSession, str]:
    """A session for a new page, and the page's name; `before` is what the agent does first."""
    marker = h.new_marker()
    title = f"Ready Page {marker}"
    session = await h.create_test_session(f"{before}{system.add_page(title)}", marker=marker)
    return session, system.slug(title)


async def _active_with_its_page(h: Harness, session: TestSession, page: str) -> None:
    """Wait for the row to say active; from then on its page must be served, at the first look."""
    __tracebackhide__ = True
    await h.sessions.wait_for_status(session, ACTIVE, within=h.timeouts.container_ready + _WORKS_FOR)
    h.timeline.mark(phases.SESSION_ACTIVE, "status of the session row")
    await h.readiness.verify(session, page, {phases.PAGE_SERVED: True})
    h.timeline.mark(phases.PAGE_SERVED, "GET of the session's own page")
