"""Opens the session an instruction goes to, or resumes the one that is open: one per client, user and thread."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ..locks import Locks
from .secret import Secret
from .sessions import Session, Sessions

log = logging.getLogger(__name__)


Before = Callable[[Session, bool], Awaitable[None]]
"""Called with the session, and whether it is new, before the table is changed; if it raises, the table is not."""


async def _nothing(session: Session, is_new: bool) -> None: ...


@dataclass(frozen=True)
class Opened:
    session: Session
    is_new: bool


class Opening:
    """Session ids are derived: from a secret, client, user, thread and the session before it in that thread.

    So two who open a session for the same thread at once, in one Hermes or in two, put the same row, and the
    condition on it lets one of them be first; the other resumes. No lock and no further table is needed.
    """

    def __init__(self, sessions: Sessions, secret: Secret, prefix: str) -> None:
        self._sessions = sessions
        self._secret = secret
        self._prefix = prefix
        self._one_at_a_time = Locks()

    async def open_or_resume(
        self, client_id: str, user_id: str, thread_id: str | None, before: Before = _nothing
    ) -> Opened:
        """The session for a thread; without one, where that user was last: the open session, or else the
        thread, with the latest activity. A user who never was here gets a thread."""
        async with self._one_at_a_time[client_id, user_id]:
            mine = [session for session in await self._sessions.of_client(client_id) if session.user_id == user_id]
            thread = thread_id or _latest_thread(mine) or await self._secret.derived("thread", client_id, user_id)
            last = next((session for session in mine if session.thread_id == thread), None)
            if last is not None and (resumed := await self._resumed(last, before)):
                return resumed
            return await self._opened((client_id, user_id, thread), last.session_id if last else "", before)

    async def _opened(self, whose: tuple[str, str, str], previous: str, before: Before) -> Opened:
        """Follows the chain of the thread's sessions to its end, which an index may not show yet."""
        while True:
            session_id = self._prefix + await self._secret.derived("session", *whose, previous)
            session = self._sessions.new(session_id, *whose)
            await before(session, True)
            if await self._sessions.create(session):
                log.info("session opened", extra={"sessionId": session.session_id, "threadId": session.thread_id})
                return Opened(session, is_new=True)
            existing = await self._sessions.get(session.session_id)
            if existing is not None and (resumed := await self._resumed(existing, before)):
                return resumed
            previous = existing.session_id if existing else previous

    async def _resumed(self, session: Session, before: Before) -> Opened | None:
        if not session.is_open:
            return None
        await before(session, False)
        begun = await self._sessions.begin(session)
        return Opened(begun, is_new=False) if begun else None


def _latest_thread(sessions: list[Session]) -> str | None:
    latest = max(sessions, key=lambda session: (session.is_open, session.last_activity), default=None)
    return latest.thread_id if latest else None
