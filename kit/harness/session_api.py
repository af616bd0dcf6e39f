"""Hermes' HTTP interface to a session that is open: what a client may do with it."""

from __future__ import annotations

from kit.harness.context import Context
from kit.harness.http import Answer, Http
from kit.harness.sessions import Sessions, TestSession
from kit.system import DRAINING, EXPIRED, SessionRow


class SessionApi:
    """Requests below `/hermes/api/sessions/{id}/`, through the load balancer."""

    def __init__(self, context: Context, http: Http, sessions: Sessions) -> None:
        self._context = context
        self._http = http
        self._sessions = sessions

    async def deactivate(self, session: TestSession) -> Answer:
        """End a session by its client's wish; checks that Hermes took the wish."""
        __tracebackhide__ = True
        url = self._context.system.session_action_url(session.session_id, "deactivate")
        with self._context.history.operation("deactivate", session=session.session_id) as operation:
            answer = await self._http.request("POST", url)
            operation.ok(status=answer.status, body=answer.body[:500])
        checks = self._context.checks
        checks.equal(answer.status, 201, f"the status of POST {url}", next=str(answer))
        checks.equal(answer.json().get("status"), DRAINING, f"the status in the answer of POST {url}")
        return answer

    async def end(self, session: TestSession) -> SessionRow:
        """Deactivate a session and wait until it is expired; it has nothing to do any more, so no idle time passes."""
        __tracebackhide__ = True
        await self.deactivate(session)
        return await self._sessions.wait_for_status(session, EXPIRED, within=self._context.settings.timeouts.scale_down)
