"""Sessions and their rows. Three time formats in one row, as deployed: ms, ISO text, epoch seconds."""

from __future__ import annotations

from dataclasses import dataclass

from .. import names
from ..clock import Clock, iso
from ..table import Condition, Row, Table

ROW_LIFE = 1800
"""Seconds from the last activity to the row's `ttl`."""
OPEN = ("initializing", "active")
"""The statuses of a session that takes instructions."""


@dataclass(frozen=True)
class Session:
    session_id: str
    user_id: str
    client_id: str
    thread_id: str
    status: str
    """`initializing`, `active`, `draining` or `expired`."""
    last_activity: int
    """Epoch milliseconds."""
    created_at: str
    """ISO 8601."""
    ttl: int
    """Epoch seconds."""
    edit_branch: str
    fargate_task_arn: str
    """The task that did the last job; empty before the first, or when it is not known."""
    container_ip: str
    preview_url: str

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    def row(self) -> Row:
        return {
            "sessionId": self.session_id,
            "userId": self.user_id,
            "clientId": self.client_id,
            "threadId": self.thread_id,
            "status": self.status,
            "lastActivity": self.last_activity,
            "createdAt": self.created_at,
            "ttl": self.ttl,
            "editBranch": self.edit_branch,
            "fargateTaskArn": self.fargate_task_arn,
            "containerIp": self.container_ip,
            "previewUrl": self.preview_url,
        }


def session_of(row: Row) -> Session:
    """A session from its row; what a row of another hand leaves out is empty."""
    return Session(
        session_id=str(row["sessionId"]),
        user_id=str(row["userId"]),
        client_id=str(row.get("clientId", "")),
        thread_id=str(row.get("threadId", "")),
        status=str(row.get("status", "")),
        last_activity=int(row.get("lastActivity") or 0),
        created_at=str(row.get("createdAt", "")),
        ttl=int(row.get("ttl") or 0),
        edit_branch=str(row.get("editBranch", "")),
        fargate_task_arn=str(row.get("fargateTaskArn", "")),
        container_ip=str(row.get("containerIp", "")),
        preview_url=str(row.get("previewUrl", "")),
    )


class Sessions:
    """The sessions table. Every change is conditional: no row comes to life, none comes back, by being touched."""

    def __init__(self, table: Table, clock: Clock, preview_base: str) -> None:
        """`preview_base` is the URL under which sessions are seen, without the session's id."""
        self._table = table
        self._clock = clock
        self._preview_base = preview_base

    def new(self, session_id: str, client_id: str, user_id: str, thread_id: str) -> Session:
        """A session that is not in the table yet."""
        now = self._clock.now()
        return Session(
            session_id=session_id,
            user_id=user_id,
            client_id=client_id,
            thread_id=thread_id,
            status="initializing",
            last_activity=int(now * 1000),
            created_at=iso(now),
            ttl=int(now) + ROW_LIFE,
            edit_branch=names.branch(thread_id),
            fargate_task_arn="",
            container_ip="",
            preview_url=f"{self._preview_base}/{session_id}",
        )

    async def create(self, session: Session) -> bool:
        """False when there is a row of that key already."""
        return await self._table.create(session.row())

    async def get(self, session_id: str) -> Session | None:
        """By the id alone: the key has a user too, which who asks for a status does not know."""
        rows = await self._table.query("sessionId", session_id)
        return session_of(rows[0]) if rows else None

    async def of_client(self, client_id: str) -> list[Session]:
        """All sessions of a client, the latest first."""
        rows = await self._table.query("clientId", client_id, index="ClientIndex")
        return sorted(map(session_of, rows), key=lambda session: session.created_at, reverse=True)

    async def with_status(self, *statuses: str) -> list[Session]:
        return [
            session_of(row)
            for status in statuses
            for row in await self._table.query("status", status, index="StatusIndex")
        ]

    async def keep_alive(self, session: Session) -> Session | None:
        """Now is the last activity; None when the session is not open any more."""
        return await self._change(session, self._active_now())

    async def begin(self, session: Session) -> Session | None:
        """An instruction is to be carried out in it; None when the session is not open any more."""
        return await self._change(session, {"status": "initializing", **self._active_now()})

    async def activate(self, session: Session, task_arn: str, container_ip: str) -> Session | None:
        """Its page is served."""
        whereabouts: Row = {"fargateTaskArn": task_arn, "containerIp": container_ip}
        return await self._change(session, {"status": "active", **whereabouts, **self._active_now()})

    async def drain(self, session: Session) -> Session | None:
        """It takes no more instructions; it expires when those under way are done."""
        return await self._change(session, {"status": "draining"})

    async def expire(self, session: Session) -> bool:
        """End this session, if nothing has happened in it since it was read."""
        unchanged: dict[str, Condition] = {"status": session.status, "lastActivity": session.last_activity}
        key: Row = {"sessionId": session.session_id, "userId": session.user_id}
        return await self._table.update(key, {"status": "expired"}, when=unchanged) is not None

    def _active_now(self) -> Row:
        now = self._clock.now()
        return {"lastActivity": int(now * 1000), "ttl": int(now) + ROW_LIFE}

    async def _change(self, session: Session, changes: Row) -> Session | None:
        key: Row = {"sessionId": session.session_id, "userId": session.user_id}
        row = await self._table.update(key, changes, when={"status": OPEN})
        return session_of(row) if row else None


def idle_since(session: Session) -> float:
    """AWS epoch seconds of the last activity."""
    return session.last_activity / 1000
