"""Process alive, port open, target healthy and page served are four observations; only the last one is readiness."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from ..backends import capability
from ..harness import Harness, phases
from ..harness.background import background
from ..harness.http import Answer
from ..harness.sessions import TestSession
from ..system import facts
from ..system.facts import ACTIVE, INITIALIZING
from .registry import scenario
from .steps.journeys import check_since_asked, end_at_zero, reached, start_at_zero

_WORKS_FOR = 60
"""AWS seconds that the agent takes for a page, so that its absence can be observed."""
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
    """A cold session, observed in four ways; then a warm one, in a container that is up but not ready for it.

    Hermes may answer at once with `initializing` or late with `active`; either answer is checked.
    """
    with h.step("1 at zero there is no sign of life"):
        await start_at_zero(h)
        await h.readiness.verify_no_container()
    h.journey("http")
    with h.step("2 a session is asked for", target=h.timeouts.wake + h.timeouts.container_ready):
        cold, page = await _cold(h)
    async with h.visiting(cold):
        with h.step("3 the four are seen, each by itself", target=h.timeouts.container_ready):
            await h.readiness.observe(cold, page, within=h.timeouts.container_ready)
        with h.step("4 a page that is served rests on the other three"):
            await h.readiness.verify(cold, page, _EVERYTHING)
            await h.sessions.wait_for_status(cold, ACTIVE, within=h.timeouts.health)
        h.journey("warm")
        async with AsyncExitStack() as meanwhile:
            with h.step("5 for the next one the container is up: it is not ready"):
                asked = await meanwhile.enter_async_context(_asking(h, slowly=_WORKS_FOR))
                warm = await _not_ready(h, asked)
                # Requested again while the agent works, as after a 504; the answer may come late, or be a 504.
                client = h.settings.test_data.client_id
                repeated = h.sessions.activate(client, asked.user_id, asked.instruction, asked.marker)
                again = await meanwhile.enter_async_context(background(repeated, "repeated request"))
            with h.step(
                "6 it is called active when its own page is served", target=h.timeouts.container_ready + _WORKS_FOR
            ):
                await _active_with_its_page(h, warm, asked.page)
                await h.readiness.verify(warm, asked.page, _EVERYTHING)
                await _verify_answer(h, await asked.answer)
                await _verify_one_session(h, warm, await again)
        with h.step("7 the page of one is not taken for the other's"):
            answer = await h.fetch_preview(cold, asked.page)
            h.checks.equal(answer.status, 404, f"the status of {answer.url}, a page of {warm}")
    with h.step("8 ended, it goes back to zero", target=h.timeouts.idle_shutdown):
        await end_at_zero(h, cold, warm)


@dataclass(frozen=True)
class Request:
    """A request for a session, answered or not."""

    user_id: str
    marker: str
    page: str
    """The slug of its page."""
    instruction: str
    answer: asyncio.Task[TestSession]

    async def session(self, h: Harness) -> TestSession:
        """The session, from its row as soon as there is one. Raises the request's error."""
        __tracebackhide__ = True
        client = h.settings.test_data.client_id
        row = h.sessions.of_user(client, self.user_id, marker=self.marker, within=h.timeouts.wake)
        async with background(row, "row") as found:
            await asyncio.wait({found, self.answer}, return_when=asyncio.FIRST_COMPLETED)
            if self.answer.done():
                await self.answer
            return await found


@asynccontextmanager
async def _asking(h: Harness, slowly: float = 0) -> AsyncIterator[Request]:
    """Request a session with a page for which the agent takes so many AWS seconds; the answer may come late."""
    marker = h.new_marker()
    title = f"Ready Page {marker}"
    instruction = facts.slowly(slowly, facts.add_page(title)) if slowly else facts.add_page(title)
    user = h.new_user(marker)
    async with background(h.create_test_session(instruction, marker=marker, user_id=user), "request") as answer:
        yield Request(user, marker, facts.slug(title), instruction, answer)


async def _verify_one_session(h: Harness, session: TestSession, again: Answer) -> None:
    """Check that a repeated request has the same session, also by its answer if Hermes answered."""
    __tracebackhide__ = True
    rows = await h.sessions.rows_of(session.client_id, session.user_id)
    ids = [row.session_id for row in rows]
    h.checks.equal(ids, [session.session_id], f"the sessions of {session.user_id}, who asked twice,")
    if not again.by_balancer:
        h.checks.equal(again.status, 201, f"the status of POST {again.url}, the second time", next=str(again))
        h.checks.equal(again.json().get("sessionId"), session.session_id, "the session in the second answer")


async def _cold(h: Harness) -> tuple[TestSession, str]:
    """The first session, and its page.

    The container is sampled from the beginning: a Hermes that answers late starts it before its answer, one that
    answers at once must answer before there is any sign of it.
    """
    __tracebackhide__ = True
    async with _asking(h) as asked, h.readiness.sampling():
        session = await asked.answer
    if session.answered == INITIALIZING:
        accepted = reached(h, phases.SESSION_ACCEPTED)
        early = [phase for phase in _CONTAINER if (h.timeline.at(phase) or accepted) < accepted]
        h.checks.equal(early, [], f"what was seen of a container before Hermes answered {INITIALIZING}")
    await _verify_answer(h, session, within=h.timeouts.wake)
    if session.answered == ACTIVE:
        await _verify_served(h, session, asked.page)
    return session, asked.page


async def _not_ready(h: Harness, asked: Request) -> TestSession:
    """The session while the agent works in a container that is up: its page is not served, its row not active.

    A Hermes that answers late may also write the row late; then only the finished session can be checked.
    """
    __tracebackhide__ = True
    session = await asked.session(h)
    if asked.answer.done() and (await asked.answer).answered == ACTIVE:
        await h.readiness.verify(session, asked.page, _CONTAINER)
        await _verify_served(h, session, asked.page)
        return session
    await h.readiness.verify(session, asked.page, {phases.PAGE_SERVED: False})
    await h.verify_session_status(session, INITIALIZING)
    await h.readiness.verify(session, asked.page, _CONTAINER)
    await h.verify_session_exists(session)
    check_since_asked(h, phases.SESSION_ROW, h.timeouts.warm)
    return session


async def _verify_answer(h: Harness, session: TestSession, within: float | None = None) -> None:
    """Check that `initializing` was answered soon, by default within `timeouts.warm`."""
    __tracebackhide__ = True
    if session.answered == INITIALIZING:
        check_since_asked(h, phases.SESSION_ACCEPTED, h.timeouts.warm if within is None else within)


async def _active_with_its_page(h: Harness, session: TestSession, page: str) -> None:
    """Wait for the row to be active; then the page must be served at the first request."""
    __tracebackhide__ = True
    await h.sessions.wait_for_status(session, ACTIVE, within=h.timeouts.container_ready + _WORKS_FOR)
    h.timeline.mark(phases.SESSION_ACTIVE, "status of the session row")
    await _verify_served(h, session, page)


async def _verify_served(h: Harness, session: TestSession, page: str) -> None:
    """Check that the page of an active session is served at the first request."""
    __tracebackhide__ = True
    seen = await h.readiness.page_served(session, page)
    h.check(seen.holds, f"the page of {session}, which is called active, to be served", seen=seen)
    h.timeline.mark(phases.PAGE_SERVED, "GET of the session's own page")
