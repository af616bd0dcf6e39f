"""What a mix knows of its strands: the session, thread and mails of each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from ...core.errors import Failed
from ...harness.hot_reload import Socket
from ...harness.mail import SentMail
from ...harness.sessions import TestSession
from ...system import facts
from ...system.contract import SessionRow
from ...system.facts import ACTIVE, INITIALIZING, mail_key
from ..mix import name_of
from ..play import Play

_APPEARS = 10.0
"""AWS seconds between the receipt of a mail and the row of its session."""
_TAKES_WORK = (INITIALIZING, ACTIVE)
_OTHER_DOMAIN = "other.example"
"""A domain whose mail does not come back to the run: its people use HTTP only."""


@dataclass
class Thread:
    """The work of one strand."""

    session: TestSession | None = None
    """The session that it used last."""
    conversation: str = ""
    """The id of its thread; empty until it is known."""
    mails: list[tuple[str, SentMail]] = field(default_factory=list)
    """Its mails with the labels of their actions, in the order in which they were sent."""
    asked: list[tuple[TestSession, str]] = field(default_factory=list)
    """The pages that it asked for by HTTP, by their slugs, and their sessions with the markers."""
    pages: list[str] = field(default_factory=list)
    """The slugs of the pages that it asked for."""
    sockets: list[tuple[TestSession, Socket]] = field(default_factory=list)


class Threads:
    """The strands of a mix under way, by number."""

    def __init__(self, play: Play) -> None:
        self._play = play
        self._threads = [Thread() for _ in play.mix.strands]
        self._shared = {self.person(strand) for strand in self if self._joins_others(strand)}
        self._opened: dict[str, tuple[int, TestSession]] = {}
        self.sockets = AsyncExitStack()

    def __getitem__(self, strand: int) -> Thread:
        return self._threads[strand]

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self._threads)))

    def project(self, strand: int) -> str:
        """The project of a strand: of its own thread, or of its person if what they do may share a thread."""
        person = self.person(strand)
        return person if person in self._shared else f"{person}/{name_of(strand)}"

    def user_id(self, strand: int) -> str:
        """The user id of a strand's person; for mail it is the address."""
        user = self._play.user(strand)
        return user.replace("@other", f"@{_OTHER_DOMAIN}") if "@" in user else self._play.h.system.user_address(user)

    def gets_mail(self, strand: int) -> bool:
        """Whether replies to a strand's person come back to the run."""
        return not self.user_id(strand).endswith(f"@{_OTHER_DOMAIN}")

    def knows(self, strand: int, session: TestSession) -> TestSession:
        """Remember the session of a strand."""
        self._threads[strand].session = session
        self._opened.setdefault(session.session_id, (strand, session))
        return session

    def opened(self) -> Iterator[TestSession]:
        """Every session of the mix."""
        for _, session in list(self._opened.values()):
            yield session

    def sessions(self) -> Iterator[tuple[int, TestSession]]:
        """Every session of the mix, and the strand that had it first."""
        yield from list(self._opened.values())

    async def locate(self, strand: int, within: float) -> TestSession | None:
        """The current session of a strand, waited for by the rows of its last mail; None if there is none."""
        thread, h = self._threads[strand], self._play.h
        if not thread.conversation and thread.mails and not await self._find_conversation(strand, within):
            return thread.session
        if not thread.conversation:
            return thread.session
        mine = await self._rows(strand)
        opened = [row for row in mine if row.status in _TAKES_WORK]
        if len(opened) > 1:
            await self._note_several(strand, opened)
        if mine:
            newest = max(mine, key=lambda row: row.created_at_iso)
            return self.knows(strand, h.sessions.adopt(newest, ""))
        return thread.session

    async def _rows(self, strand: int) -> list[SessionRow]:
        """The sessions of a strand's thread; the first one appears a moment after its mail was received."""
        thread, h = self._threads[strand], self._play.h

        async def look() -> list[SessionRow]:
            rows = await h.sessions.rows_of(self._play.client(strand), self.user_id(strand))
            return [row for row in rows if row.thread_id == thread.conversation]

        if thread.session is not None:
            return await look()
        try:
            return await h.eventually(
                look, within=_APPEARS, every=0.2, describe=f"a session of {name_of(strand)}", counts=False
            )
        except Failed:
            return []

    async def close(self) -> None:
        """Close the hot-reload sockets."""
        await self.sockets.aclose()

    async def _note_several(self, strand: int, rows: list[SessionRow]) -> None:
        """Several open sessions of a thread, read again one by one: an index may be behind."""
        h = self._play.h
        again = [await h.session_row(h.sessions.adopt(row, "")) for row in rows]
        opened = sorted(row.session_id for row in again if row is not None and row.status in _TAKES_WORK)
        self._play.note("mix.open", {"sessions": opened}, session=name_of(strand), project=self.project(strand))

    async def _find_conversation(self, strand: int, within: float) -> bool:
        thread, h = self._threads[strand], self._play.h
        _, sent = thread.mails[-1]
        try:
            await h.mail.wait_for_receipt(sent, within=within)
        except Failed:
            return False
        answer = await h.aws.call(
            "dynamodb",
            "get_item",
            TableName=h.stack.mail_table_name,
            Key={"messageId": {"S": mail_key(sent.message_id, sent.sender)}},
            ConsistentRead=True,
        )
        thread.conversation = answer.get("Item", {}).get(facts.THREAD_ID, {}).get("S", "")
        return bool(thread.conversation)

    def person(self, strand: int) -> str:
        """The project of everything that a strand's person does."""
        return f"{self._play.client(strand)}/{self._play.user(strand).lower()}"

    def _joins_others(self, strand: int) -> bool:
        """Whether a strand's work may be in a thread of another strand of the same person."""
        mix = self._play.mix
        return not self.gets_mail(strand) or any(
            action.kind == "open" or (action.to is not None and self.person(action.to) == self.person(strand))
            for action in mix.strands[strand].actions
        )
