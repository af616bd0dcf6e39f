"""Process alive, port open, target healthy and page served are four observations; only the last one is readiness."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from ..backends import capability
from ..harness import Harness, phases
from ..harness.http import Answer
from ..harness.sessions import TestSession
from ..system import facts
from ..system.facts import ACTIVE, INITIALIZING
from .registry import scenario
from .steps.journeys import check_since_asked, reached, start_at_zero, verify_zero

_WORKS_FOR = 60
"""AWS seconds that the agent takes for a page, so that there is time to see that it is not there."""
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
    """A cold session, seen in four ways at once; then one in a container that is up already, and not ready for it.

    Hermes may answer at once with `initializing` or, once all is done, with `active`: what it promised is checked.
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
                again = await meanwhile.enter_async_context(_asked_again(h, asked))
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
        since = h.clock.now()
        for session in (cold, warm):
            await h.session_api.end(session)
        await verify_zero(h, [cold, warm], since=since)


@dataclass(frozen=True)
class Asked:
    """A session that was asked for, whether or not it has been answered yet."""

    user_id: str
    marker: str
    page: str
    """The page it is for."""
    instruction: str
    answer: asyncio.Task[TestSession]

    async def seen(self, h: Harness) -> TestSession:
        """The session by its row, as soon as there is one. Raises what asking for it met."""
        __tracebackhide__ = True
        client = h.settings.test_data.client_id
        row = asyncio.ensure_future(
            h.sessions.of_user(client, self.user_id, marker=self.marker, within=h.timeouts.wake)
        )
        try:
            await asyncio.wait({row, self.answer}, return_when=asyncio.FIRST_COMPLETED)
            if self.answer.done():
                await self.answer
            return await row
        finally:
            row.cancel()


@asynccontextmanager
async def _asking(h: Harness, slowly: float = 0) -> AsyncIterator[Asked]:
    """Ask for a session with a page, which takes the agent so many AWS seconds; a late answer is awaited meanwhile."""
    marker = h.new_marker()
    title = f"Ready Page {marker}"
    instruction = facts.slowly(slowly, facts.add_page(title)) if slowly else facts.add_page(title)
    user = h.new_user(marker)
    answer = asyncio.create_task(h.create_test_session(instruction, marker=marker, user_id=user))
    try:
        yield Asked(user, marker, facts.slug(title), instruction, answer)
    finally:
        answer.cancel()
        await asyncio.gather(answer, return_exceptions=True)


@asynccontextmanager
async def _asked_again(h: Harness, asked: Asked) -> AsyncIterator[asyncio.Task[Answer]]:
    """Ask for the same once more while it is at work, as who got a 504 does; the answer may come late, or be a 504."""
    client = h.settings.test_data.client_id
    again = asyncio.create_task(h.sessions.activate(client, asked.user_id, asked.instruction, asked.marker))
    try:
        yield again
    finally:
        again.cancel()
        await asyncio.gather(again, return_exceptions=True)


async def _verify_one_session(h: Harness, session: TestSession, again: Answer) -> None:
    """Whoever asks twice for the same has one session, and is told so if he is told anything."""
    __tracebackhide__ = True
    rows = await h.sessions.rows_of(session.client_id, session.user_id)
    ids = [row.session_id for row in rows]
    h.checks.equal(ids, [session.session_id], f"the sessions of {session.user_id}, who asked twice,")
    if not again.by_balancer:
        h.checks.equal(again.status, 201, f"the status of POST {again.url}, the second time", next=str(again))
        h.checks.equal(again.json().get("sessionId"), session.session_id, "the session that was told the second time")


async def _cold(h: Harness) -> tuple[TestSession, str]:
    """The first session, and its page. The container is looked for from the beginning, for a Hermes that answers late
    brings it up meanwhile; one that answers at once says so before there is any sign of it."""
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


async def _not_ready(h: Harness, asked: Asked) -> TestSession:
    """The session, at work beside a container that is up: its page is not served, and nothing says it were.

    A Hermes may write the row with its late answer only: then there is nothing to see of the session before.
    """
    __tracebackhide__ = True
    session = await asked.seen(h)
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
    """An answer that promises a session for later comes soon: to a Hermes that is up in the time of a warm one."""
    __tracebackhide__ = True
    if session.answered == INITIALIZING:
        check_since_asked(h, phases.SESSION_ACCEPTED, h.timeouts.warm if within is None else within)


async def _active_with_its_page(h: Harness, session: TestSession, page: str) -> None:
    """Wait for the row to say active; from then on its page must be served, at the first look."""
    __tracebackhide__ = True
    await h.sessions.wait_for_status(session, ACTIVE, within=h.timeouts.container_ready + _WORKS_FOR)
    h.timeline.mark(phases.SESSION_ACTIVE, "status of the session row")
    await _verify_served(h, session, page)


async def _verify_served(h: Harness, session: TestSession, page: str) -> None:
    """At the first look: it was called active."""
    __tracebackhide__ = True
    seen = await h.readiness.page_served(session, page)
    h.check(seen.holds, f"the page of {session}, which is called active, to be served", seen=seen)
    h.timeline.mark(phases.PAGE_SERVED, "GET of the session's own page")
