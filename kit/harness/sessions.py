"""Edit sessions: opened by HTTP or by mail, looked at in DynamoDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.clock import epoch
from ..core.eventually import NotYet
from ..system import contract
from ..system.facts import ACTIVE, CLIENT_INDEX, EXPIRED, INITIALIZING, OPEN, SessionRow
from .context import Context
from .http import Answer, Http
from .together import together

_TAKES_WORK = (INITIALIZING, ACTIVE)
_WAKE_RETRY = 2.0
"""AWS seconds before the first repetition of a request that a sleeping Hermes did not get."""


@dataclass(frozen=True)
class TestSession:
    """An edit session of this run."""

    __test__ = False

    session_id: str
    client_id: str
    user_id: str
    preview_url: str
    marker: str
    """The run-unique word of its instruction, to be found at every hop."""
    answered: str = ""
    """The status in Hermes' answer to its activation: `initializing` at once or `active` late. Empty where no answer
    came through: it was opened by mail, or the load balancer gave up."""

    def __str__(self) -> str:
        return f"session {self.session_id} of {self.user_id}"


class Sessions:
    """Opens sessions and reads their rows. Knows every session of the run it has opened or found."""

    def __init__(self, context: Context, http: Http) -> None:
        self._context = context
        self._http = http
        self.opened: dict[str, TestSession] = {}

    async def create(self, *, client_id: str, user_id: str, instruction: str, marker: str) -> TestSession:
        """Open a session by HTTP.

        A 503 of the load balancer never reached Hermes, which is asleep: the request wakes it and is
        repeated with back-off. After a 502 or 504 of the load balancer nobody knows whether it did: Hermes
        is asked as soon as it answers, and only when it knows of no session is the request repeated, at once.
        Anything else is never repeated. Raises `WaitExpired` or `CheckFailed`.
        """
        __tracebackhide__ = True
        context = self._context

        async def attempt() -> tuple[dict[str, Any], str]:
            while True:
                answer = await self.activate(client_id, user_id, instruction, marker)
                if not (answer.by_balancer and answer.status in (502, 504)):
                    break
                opened = await self._opened(client_id, user_id, answer.status)
                if opened:
                    context.checks.equal(len(opened), 1, f"the number of open sessions of {user_id}")
                    return opened[0], ""
                # Hermes has just said that there is none: it is awake now, there is nothing more to wait for.
            if answer.by_balancer and answer.status == 503:
                raise NotYet(answer)
            context.checks.equal(answer.status, 201, f"the status of POST {answer.url}")
            fields = _object(answer)
            return fields, str(fields.get("status", ""))

        timeouts = context.settings.timeouts
        fields, answered = await context.eventually(
            attempt,
            # One that answers late does so when the page is served: a container may have to come up meanwhile.
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
        """Wait for the one session that a user has, as the sessions table tells it; for sessions opened by mail."""
        __tracebackhide__ = True

        async def look() -> list[SessionRow]:
            return await self.rows_of(client_id, user_id)

        rows = await self._context.eventually(
            look,
            within=within,
            every=2.0,
            describe=f"a session row for {user_id}",
            next="see the queue and Hermes' log: kit status, kit logs hermes",
        )
        self._context.checks.equal(len(rows), 1, f"the number of session rows for {user_id}")
        return self.found(rows[0], marker)

    def found(self, row: SessionRow, marker: str) -> TestSession:
        """The session of a row that a scenario has found, one of this run's from now on."""
        return self._known(TestSession(row.session_id, row.client_id, row.user_id, row.preview_url, marker))

    async def rows_of(self, client_id: str, user_id: str) -> list[SessionRow]:
        """The rows of one user, whatever their status."""
        items = await self._context.cloud.aws.pages(
            "dynamodb",
            "query",
            "Items",
            TableName=self._context.cloud.stack.sessions_table_name,
            IndexName=CLIENT_INDEX,
            KeyConditionExpression="clientId = :client",
            FilterExpression="userId = :user",
            ExpressionAttributeValues={":client": {"S": client_id}, ":user": {"S": user_id}},
        )
        return [self._read(item) for item in items]

    async def rows_of_client(self, client_id: str) -> list[SessionRow]:
        """The rows of all users of a client, whatever their status."""
        items = await self._context.cloud.aws.pages(
            "dynamodb",
            "query",
            "Items",
            TableName=self._context.cloud.stack.sessions_table_name,
            IndexName=CLIENT_INDEX,
            KeyConditionExpression="clientId = :client",
            ExpressionAttributeValues={":client": {"S": client_id}},
        )
        return [self._read(item) for item in items]

    async def row(self, session: TestSession) -> SessionRow | None:
        """The session's row by its whole key, read consistently; None when there is none."""
        answer = await self._context.cloud.aws.call(
            "dynamodb",
            "get_item",
            TableName=self._context.cloud.stack.sessions_table_name,
            Key={"sessionId": {"S": session.session_id}, "userId": {"S": session.user_id}},
            ConsistentRead=True,
        )
        return self._read(answer["Item"]) if "Item" in answer else None

    async def verify_exists(self, session: TestSession) -> SessionRow:
        """Check that the row is there, by its whole key, and says what was asked for."""
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
        """Wait until the row says so. A row that is gone is not expired: it raises."""
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
        """Wait until every one of the sessions is expired, one after the other; the budget is for all of them."""
        __tracebackhide__ = True

        async def look() -> dict[str, str]:
            rows = await together(self.row(session) for session in sessions)
            return {s.session_id: row.status if row else "no row" for s, row in zip(sessions, rows, strict=True)}

        await self._context.eventually(
            look,
            until=lambda found: all(status == EXPIRED for status in found.values()),
            within=within,
            every=2.0,
            describe=f"all {len(sessions)} sessions to be {EXPIRED}",
        )

    async def still_open(self) -> list[SessionRow]:
        """The rows of this run's sessions that may hold a container."""
        rows = await together(self.row(session) for session in self.opened.values())
        return [row for row in rows if row is not None and row.status in OPEN]

    async def delete(self, row: SessionRow) -> None:
        """Delete one row by its whole key; for cleaning up."""
        await self._context.cloud.aws.call(
            "dynamodb",
            "delete_item",
            TableName=self._context.cloud.stack.sessions_table_name,
            Key={"sessionId": {"S": row.session_id}, "userId": {"S": row.user_id}},
        )

    async def activate(self, client_id: str, user_id: str, instruction: str, marker: str) -> Answer:
        """One POST that asks for a session, whatever comes back; recorded for what is known of it afterwards."""
        body = {"clientId": client_id, "userId": user_id, "instruction": instruction}
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
        """What Hermes knows of a user's sessions that take work, after the load balancer gave up on a request. Those
        that are draining or expired are of an earlier time: it was not they that the request opened.

        After a 504 Hermes may still be at it, so the session is waited for; after a 502 the connection
        broke, and what Hermes says as soon as it answers is all there will be.
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
            describe=f"Hermes to tell the open sessions of {user_id}, whose request ended in a {status}",
            counts=False,
        )

    def _read(self, item: Mapping[str, Any]) -> SessionRow:
        """A row that keeps the contract. Raises `ContractBroken`."""
        __tracebackhide__ = True
        contract.check_row(item, self._context.cloud.stack.sessions_table_name)
        return SessionRow.from_item(item)

    def _known(self, session: TestSession) -> TestSession:
        self.opened[session.session_id] = session
        return session


def _object(answer: Answer) -> dict[str, Any]:
    fields = answer.json()
    if not isinstance(fields, dict):
        raise ValueError(f"expected a JSON object: {answer}")
    return fields
