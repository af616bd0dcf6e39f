"""Hermes' HTTP API of a session: status, keepalive, deactivate."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

from ..system.contract import SessionRow
from ..system.facts import DRAINING, EXPIRED
from .background import periodic
from .context import Context
from .http import Answer, Http
from .sessions import Sessions, TestSession

_KEPT_ALIVE = 6
"""Keepalives per idle time of the stack; a busy machine may miss some."""


class SessionApi:
    """Requests below `/hermes/api/sessions/{id}/`, through the load balancer."""

    def __init__(self, context: Context, http: Http, sessions: Sessions) -> None:
        self._context = context
        self._http = http
        self._sessions = sessions

    async def ask(self, session_id: str, action: Literal["status", "keepalive", "deactivate"]) -> Answer:
        """One request about a session, which need not exist; returns any answer."""
        url = self._context.system.session_action_url(session_id, action)
        return await self._http.request("GET" if action == "status" else "POST", url)

    async def rows(self, session_id: str) -> list[dict[str, Any]]:
        """The items of the sessions table with this id, of any user, unchecked."""
        return await self._context.cloud.aws.pages(
            "dynamodb",
            "query",
            "Items",
            TableName=self._context.cloud.stack.sessions_table_name,
            KeyConditionExpression="sessionId = :id",
            ExpressionAttributeValues={":id": {"S": session_id}},
            ConsistentRead=True,
        )

    async def deactivate(self, session: TestSession) -> Answer:
        """Deactivate a session; checks that Hermes accepts."""
        __tracebackhide__ = True
        url = self._context.system.session_action_url(session.session_id, "deactivate")
        with self._context.history.operation("deactivate", session=session.session_id) as operation:
            answer = await self._http.request("POST", url)
            operation.ok(status=answer.status, body=answer.body[:500])
        checks = self._context.checks
        checks.equal(answer.status, 201, f"the status of POST {url}", next=str(answer))
        checks.equal(answer.json().get("status"), DRAINING, f"the status in the answer of POST {url}")
        return answer

    @asynccontextmanager
    async def keeping_alive(self, session: TestSession) -> AsyncIterator[None]:
        """Send keepalives to Hermes inside the block; needs no container, unlike a visitor.

        Hermes' answers are recorded and not checked.
        """
        url = self._context.system.session_action_url(session.session_id, "keepalive")
        every = float(self._context.cloud.stack.idle_seconds) / _KEPT_ALIVE

        async def keep() -> None:
            with self._context.history.operation("keepalive", session=session.session_id) as operation:
                try:
                    answer = await self._http.request("POST", url)
                    operation.ok(status=answer.status, body=answer.body[:200])
                except OSError as error:
                    operation.info(error)

        async with periodic(self._context.clock, every, keep, f"keeper of {session.session_id}"):
            yield

    async def end(self, session: TestSession) -> SessionRow:
        """Deactivate a session and wait until it is expired, which takes no idle time."""
        __tracebackhide__ = True
        await self.deactivate(session)
        return await self._sessions.wait_for_status(session, EXPIRED, within=self._context.settings.timeouts.scale_down)
