"""Edit sessions: opened by HTTP, found by mail, read from DynamoDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.clock import epoch
from ..core.eventually import NotYet
from ..system import contract, facts
from ..system.contract import SessionRow
from ..system.facts import ACTIVE, CLIENT_INDEX, EXPIRED, INITIALIZING, OPEN
from .context import Context
from .http import Answer, Http

_TAKES_WORK = (INITIALIZING, ACTIVE)
_WAKE_RETRY = 2.0
"""AWS seconds before the first retry of a request that did not reach a sleeping Hermes."""


@dataclass(frozen=True)
class TestSession:
    """An edit session of this run."""

    __test__ = False

    session_id: str
    client_id: str
    user_id: str
    preview_url: str
    marker: str
    """A run-unique word of its instruction, to look for at every hop; empty when there is none."""
    answered: str = ""
    """The status in Hermes' answer to the activation: `initializing` at once or `active` late. Empty without an answer:
    for a session opened by mail, or when the load balancer gave up."""

    def path(self, file: str = "") -> str:
        """A file of the session's project, or the project itself, as a path in the container."""
        return facts.project_path(self.client_id, self.user_id, file)

    def __str__(self) -> str:
        return f"session {self.session_id} of {self.user_id}"


class Sessions:
    """Opens sessions and reads their rows. Remembers the sessions that it opened or adopted."""

    def __init__(self, context: Context, http: Http) -> None:
        self._context = context
        self._http = http
        self.opened: dict[str, TestSession] = {}

    async def create(
        self, *, client_id: str, user_id: str, instruction: str, marker: str, thread_id: str | None = None
    ) -> TestSession:
        """Open a session by HTTP, in a thread or where the user was last.

        A request with a 503 of the load balancer did not reach Hermes: it wakes Hermes, and is retried with back-off.
        One with a 502 or 504 may have reached it: Hermes is asked for the user's sessions as soon as it answers, and
        the request is retried, at once, only if there is none. Nothing else is retried.
        Raises `WaitExpired` or `CheckFailed`.
        """
        __tracebackhide__ = True
        context = self._context

        async def attempt() -> tuple[dict[str, Any], str]:
            while True:
                answer = await self.activate(client_id, user_id, instruction, marker, thread_id)
                if not (answer.by_balancer and answer.status in (502, 504)):
                    break
                opened = await self._opened(client_id, user_id, answer.status)
                if opened:
                    context.checks.equal(len(opened), 1, f"the number of open sessions of {user_id}")
                    return opened[0], ""
                # Hermes has just answered that there is none: it is awake, so there is nothing to wait for.
            if answer.by_balancer and answer.status == 503:
                raise NotYet(answer)
            context.checks.equal(answer.status, 201, f"the status of POST {answer.url}")
            fields = _object(answer)
            return fields, str(fields.get("status", ""))

        timeouts = context.settings.timeouts
        fields, answered = await context.eventually(
            attempt,
            # A late answer comes when the page is served: a container may have to start first.
            within=timeouts.wake + timeouts.container_ready,
            every=_WAKE_RETRY,
            backoff=1.5,
            describe="Hermes to wake and open a session",
            counts=False,
        )
        for name in ("sessionId", "previewUrl"):
            context.checks.check(
                isinstance(fields.get(name), str) and fields[name] != "", f"the answer to have a {name}", seen=fields
            )
        context.checks.check(fields.get("status") in _TAKES_WORK, f"it to be {INITIALIZING} or {ACTIVE}", seen=fields)
        return self._known(TestSession(fields["sessionId"], client_id, user_id, fields["previewUrl"], marker, answered))

    async def of_user(self, client_id: str, user_id: str, *, marker: str, within: float) -> TestSession:
        """Wait for the row of a user's only session; for sessions opened by mail."""
        __tracebackhide__ = True

        rows = await self._context.eventually(
            lambda: self.rows_of(client_id, user_id),
            within=within,
            every=2.0,
            describe=f"a session row for {user_id}",
            next="see the queue and Hermes' log: kit status, kit logs hermes",
        )
        self._context.checks.equal(len(rows), 1, f"the number of session rows for {user_id}")
        return self.adopt(rows[0], marker)

    def adopt(self, row: SessionRow, marker: str) -> TestSession:
        """The session of a row, remembered as one of this run's."""
        return self._known(TestSession(row.session_id, row.client_id, row.user_id, row.preview_url, marker))

    async def rows_of(self, client_id: str, user_id: str | None = None) -> list[SessionRow]:
        """The rows of a client's user, or of all its users, in any status."""
        of_user = {} if user_id is None else {"FilterExpression": "userId = :user"}
        values = {":client": {"S": client_id}} | ({} if user_id is None else {":user": {"S": user_id}})
        items = await self._context.cloud.aws.pages(
            "dynamodb",
            "query",
            "Items",
            TableName=self._context.cloud.stack.sessions_table_name,
            IndexName=CLIENT_INDEX,
            KeyConditionExpression="clientId = :client",
            ExpressionAttributeValues=values,
            **of_user,
        )
        return [self._read(item) for item in items]

    async def row(self, session: TestSession) -> SessionRow | None:
        """The session's row by its full key, with a consistent read; None when there is none."""
        answer = await self._context.cloud.aws.call(
            "dynamodb",
            "get_item",
            TableName=self._context.cloud.stack.sessions_table_name,
            Key={"sessionId": {"S": session.session_id}, "userId": {"S": session.user_id}},
            ConsistentRead=True,
        )
        return self._read(answer["Item"]) if "Item" in answer else None

    async def verify_exists(self, session: TestSession) -> SessionRow:
        """Check that the row exists, by its full key, and that its fields fit the session."""
        __tracebackhide__ = True
        row = await self.row(session)
        checks = self._context.checks
        checks.check(
            row is not None, f"a row for {session} in {self._context.cloud.stack.sessions_table_name}", seen="none"
        )
        assert row is not None
        checks.equal(row.client_id, session.client_id, "clientId of the session row")
        checks.check(row.status in OPEN, f"the session row's status to be one of {', '.join(OPEN)}", seen=row.status)
        checks.equal(row.preview_url, session.preview_url, "previewUrl of the session row")
        now = self._context.clock.now()
        checks.check(
            now < row.ttl_seconds < now + 24 * 3600,
            "ttl to be epoch seconds, less than a day ahead",
            seen=row.ttl_seconds,
        )
        checks.check(
            abs(row.last_activity_ms / 1000 - now) < 24 * 3600, "lastActivity to be epoch ms", seen=row.last_activity_ms
        )
        epoch(row.created_at_iso)
        return row

    async def wait_for_status(self, session: TestSession, status: str, *, within: float) -> SessionRow:
        """Wait for the row's status. A missing row is not an expired one."""
        __tracebackhide__ = True

        async def look() -> SessionRow:
            row = await self.row(session)
            if row is None:
                raise NotYet("no row")
            return row

        return await self._context.eventually(
            look,
            until=lambda row: row.status == status,
            within=within,
            every=2.0,
            describe=f"{session} to be {status}",
        )

    async def wait_for_all_expired(self, sessions: Sequence[TestSession], *, within: float) -> None:
        """Wait until all the sessions are expired; the budget is for all of them together."""
        __tracebackhide__ = True

        async def look() -> dict[str, str]:
            rows = {session.session_id: await self.row(session) for session in sessions}
            return {id: row.status if row else "no row" for id, row in rows.items()}

        await self._context.eventually(
            look,
            until=lambda found: all(status == EXPIRED for status in found.values()),
            within=within,
            every=2.0,
            describe=f"all {len(sessions)} sessions to be {EXPIRED}",
        )

    async def still_open(self) -> list[SessionRow]:
        """The rows of this run's sessions that may hold a container."""
        rows = [await self.row(session) for session in self.opened.values()]
        return [row for row in rows if row is not None and row.status in OPEN]

    async def delete(self, row: SessionRow) -> None:
        """Delete one row by its full key; for cleaning up."""
        await self._context.cloud.aws.call(
            "dynamodb",
            "delete_item",
            TableName=self._context.cloud.stack.sessions_table_name,
            Key={"sessionId": {"S": row.session_id}, "userId": {"S": row.user_id}},
        )

    async def activate(
        self, client_id: str, user_id: str, instruction: str, marker: str, thread_id: str | None = None
    ) -> Answer:
        """One POST that asks for a session. The history records whether it certainly failed."""
        body = {"clientId": client_id, "userId": user_id, "instruction": instruction}
        if thread_id is not None:
            body["threadId"] = thread_id
        with self._context.history.operation("create_session", user=user_id, marker=marker) as operation:
            answer = await self._http.request("POST", self._context.system.activate_url(), body=body)
            if answer.status == 201:
                operation.ok(status=201, body=answer.body[:2000])
            elif answer.status < 500 or (answer.status == 503 and answer.by_balancer):
                operation.fail(str(answer), status=answer.status)
            else:
                operation.info(str(answer), status=answer.status)
        return answer

    async def _opened(self, client_id: str, user_id: str, status: int) -> list[dict[str, Any]]:
        """A user's sessions that take work, according to Hermes, after the load balancer gave up on a request.

        Draining and expired ones are older than the request. After a 504 Hermes may still be opening the session, so
        it is waited for; after a 502 the connection broke, and Hermes' first answer is final.
        """
        __tracebackhide__ = True
        url = self._context.system.sessions_of_client_url(client_id)

        async def look() -> list[dict[str, Any]]:
            answer = await self._http.get(url)
            if answer.status != 200:
                raise NotYet(answer)
            listed = answer.json()
            return [each for each in listed if each.get("userId") == user_id and each.get("status") in _TAKES_WORK]

        return await self._context.eventually(
            look,
            until=bool if status == 504 else lambda _: True,
            within=self._context.settings.timeouts.recovery,
            every=5.0,
            describe=f"Hermes to list the open sessions of {user_id}, whose request ended in a {status}",
            counts=False,
        )

    def _read(self, item: Mapping[str, Any]) -> SessionRow:
        """The row, checked against the contract. Raises `ContractBroken`."""
        __tracebackhide__ = True
        return contract.check_row(item, self._context.cloud.stack.sessions_table_name)

    def _known(self, session: TestSession) -> TestSession:
        self.opened[session.session_id] = session
        return session


def _object(answer: Answer) -> dict[str, Any]:
    fields = answer.json()
    if not isinstance(fields, dict):
        raise ValueError(f"expected a JSON object: {answer}")
    return fields
