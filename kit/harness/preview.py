"""A session's preview through the load balancer: fetched, waited for, and kept open by a visitor."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ..core.eventually import NotYet
from ..system.facts import TARGET_COOKIE
from . import phases
from .background import periodic
from .context import Context
from .http import Answer, Http
from .services import Services, Target
from .sessions import TestSession

_VISIT_EVERY = 10.0
"""AWS seconds; at most the idle time of any stack, for which the template requires 10 or more."""


class Preview:
    """Fetches previews and waits for their content."""

    def __init__(self, context: Context, http: Http, services: Services) -> None:
        self._context = context
        self._http = http
        self._services = services

    async def fetch(self, session: TestSession, page: str = "") -> Answer:
        """GET the session's preview, or one of its pages by its slug."""
        return await self._http.get(self._context.system.preview_url(session.session_id, page))

    async def wait_until_ready(self, session: TestSession, *, within: float) -> Answer:
        """Wait until the session's own page is served; returns it.

        A running task, a healthy target and the session's health are observed first, but only the page is readiness.
        """
        __tracebackhide__ = True
        context = self._context
        await context.eventually(
            lambda: self._services.targets("edit"),
            until=_one_healthy,
            within=within,
            describe=f"a healthy target for {session}",
            next="see the service's events and the task's log: kit status, kit logs edit",
        )
        context.timeline.mark(phases.TARGET_HEALTHY, "DescribeTargetHealth")
        await self._mark_task()
        await self._served(context.system.session_health_url(session.session_id), f"the health of {session}", within)
        page = await self._served(session.preview_url, f"the page of {session}", within)
        context.timeline.mark(phases.FIRST_BYTE, "GET of the preview", at=page.first_byte)
        return page

    async def wait_for_change(self, session: TestSession, page: str, *, within: float) -> Answer:
        """Wait until a page is served with status 200 and contains the session's marker, if it has one."""
        __tracebackhide__ = True

        async def look() -> Answer:
            answer = await self.fetch(session, page)
            if answer.status != 200 or session.marker not in answer.body:
                raise NotYet(f"{answer.status}, marker {'absent' if session.marker not in answer.body else 'there'}")
            return answer

        answer = await self._context.eventually(
            look,
            within=within,
            describe=f"page {page!r} of {session} to be served with its marker {session.marker}",
            next="see the edit container's log: kit logs edit",
        )
        self._context.timeline.mark(phases.CHANGE_VISIBLE, "GET of the changed page", at=answer.first_byte)
        return answer

    @asynccontextmanager
    async def visiting(self, session: TestSession) -> AsyncIterator[None]:
        """Fetch the preview regularly inside the block, as an open browser does.

        Preview traffic is activity, so the session does not expire. The visitor stays with one container, by the load
        balancer's cookie. The answers are recorded and not checked.
        """
        cookie: dict[str, str] = {}

        async def visit() -> None:
            with self._context.history.operation("visit", session=session.session_id) as operation:
                try:
                    answer = await self._http.get(session.preview_url, headers=dict(cookie))
                    operation.ok(status=answer.status)
                    cookie.update(sticky(answer))
                except OSError as error:
                    operation.info(error)

        async with periodic(self._context.clock, _VISIT_EVERY, visit, f"visitor of {session.session_id}"):
            yield

    async def _served(self, url: str, what: str, within: float) -> Answer:
        __tracebackhide__ = True
        return await self._context.eventually(
            lambda: self._http.get(url),
            until=lambda answer: answer.status == 200,
            within=within,
            describe=f"{what} to be served",
        )

    async def _mark_task(self) -> None:
        """Mark the phases of the serving task, from ECS's timestamps."""
        started = [task for task in await self._services.tasks("edit") if "startedAt" in task]
        if not started:
            return
        first = min(started, key=lambda task: task["startedAt"])
        pending = "pullStartedAt" if "pullStartedAt" in first else "createdAt"
        mark = self._context.timeline.mark
        mark(phases.TASK_PENDING, f"{pending} of the edit task", at=first[pending].timestamp())
        mark(phases.TASK_RUNNING, "startedAt of the edit task", at=first["startedAt"].timestamp())


def sticky(answer: Answer) -> dict[str, str]:
    """The header that sends the next request to the container of this answer; empty without a cookie."""
    bound = answer.cookies.get(TARGET_COOKIE)
    return {"Cookie": f"{TARGET_COOKIE}={bound}"} if bound else {}


def _one_healthy(targets: list[Target]) -> bool:
    return any(target.state == "healthy" for target in targets)
