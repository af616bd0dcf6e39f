"""The memory of what came in: nothing is lost, and nothing is done twice, when Hermes dies half-way.

A mail goes `received` -> `worked` (its outcome is kept) -> `replied`. The Hermes at work on it holds a lease, which
runs out a little before SQS delivers the mail again. An instruction that came by HTTP has no queue to come
back from: it is kept here, `accepted`, until it is carried out.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from ..aws_errors import Unavailable
from ..clock import Clock, iso
from ..table import Below, Condition, Row, Table
from .edit_service import Job
from .instructions import Outcome

log = logging.getLogger(__name__)

LEASE = 55
"""Seconds; below the visibility timeout of consumer.py."""
KEPT = 7 * 24 * 3600
"""Seconds for which a mail is remembered; a queue keeps messages for 4 days by default."""
_BUSY_POLL = 2.0
"""AWS seconds between two looks at a mail that another Hermes works on."""


@dataclass(frozen=True)
class Entry:
    """A mail that this Hermes has claimed, or that needs no more work."""

    key: str
    state: str
    outcome: Outcome | None = None
    session_id: str = ""


@dataclass(frozen=True)
class Accepted:
    """An instruction that came by HTTP and is not carried out yet."""

    session_id: str
    job: Job


class Inbox:
    def __init__(self, table: Table, clock: Clock, owner: str) -> None:
        """`owner` tells one running Hermes from another."""
        self._table = table
        self._clock = clock
        self._owner = owner

    async def claim(self, key: str, thread_id: str) -> Entry:
        """Claim a mail; while another Hermes works on it, wait until that one is done or its lease has run out."""
        while True:
            now = self._clock.now()
            new: Row = {"messageId": key, "threadId": thread_id, "state": "received", "receivedAt": iso(now)}
            new |= self._lease(now)
            if await self._table.create(new | {"ttl": int(now) + KEPT}):
                return Entry(key, "received")
            free: dict[str, Condition] = {"state": ("received", "worked"), "leaseUntil": Below(int(now))}
            row = await self._table.update({"messageId": key}, self._lease(now), when=free)
            if row is None:
                row = next(iter(await self._table.query("messageId", key)), None)
                if row is None or row.get("state") != "replied":
                    await self._clock.sleep(_BUSY_POLL)
                    continue
            outcome = str(row.get("outcome", ""))
            known = Outcome.from_json(outcome) if outcome else None
            return Entry(key, str(row["state"]), known, str(row.get("sessionId", "")))

    async def thread_of(self, keys: Iterable[str]) -> str | None:
        """The thread of the first of these mails that is remembered."""
        for key in keys:
            for row in await self._table.query("messageId", key):
                if thread_id := str(row.get("threadId", "")):
                    return thread_id
        return None

    async def renew(self, key: str) -> None:
        """Still working on it."""
        await self._table.update({"messageId": key}, self._lease(self._clock.now()), when={"owner": self._owner})

    async def release(self, key: str) -> None:
        """Give up the lease: the next delivery may claim the mail. A renewal under way finds no owner."""
        await self._table.update({"messageId": key}, {"leaseUntil": 0, "owner": ""}, when={"owner": self._owner})

    async def worked(self, key: str, session_id: str, outcome: Outcome) -> bool:
        """The instruction was carried out; only the reply is missing. False when the lease is another's now."""
        facts: Row = {"state": "worked", "outcome": outcome.to_json(), "sessionId": session_id}
        return await self._table.update({"messageId": key}, facts, when={"owner": self._owner}) is not None

    async def replied(self, key: str, reply_id: str) -> None:
        """Record that the reply was sent; tries until the table takes it.

        Without the record the next delivery would send the reply again. Only a Hermes that dies between SES's
        answer and this record still leaves that window: SES has no idempotency token.
        """
        while True:
            try:
                await self._table.update({"messageId": key}, {"state": "replied", "replyId": reply_id})
            except Unavailable as error:
                log.warning("a reply is not recorded yet", extra={"mail": key, "cause": str(error)})
                await self._clock.sleep(_BUSY_POLL)
            else:
                return

    async def accept(self, accepted: Accepted) -> None:
        """Keep an instruction that came by HTTP, for this session; replaces an earlier one of the same job."""
        now = self._clock.now()
        await self._table.put(
            {
                "messageId": _http_key(accepted.job.job_id),
                "state": "accepted",
                "sessionId": accepted.session_id,
                "workId": accepted.job.job_id,
                "instruction": accepted.job.instruction,
                "receivedAt": iso(now),
                "ttl": int(now) + KEPT,
            }
        )

    async def accepted(self) -> list[Accepted]:
        """What an earlier Hermes accepted and did not carry out."""
        return [
            Accepted(str(row["sessionId"]), Job(str(row["workId"]), str(row["instruction"])))
            for row in await self._table.scan(state="accepted")
        ]

    async def forget(self, job_id: str) -> None:
        await self._table.delete({"messageId": _http_key(job_id)})

    def _lease(self, now: float) -> Row:
        return {"owner": self._owner, "leaseUntil": int(now) + LEASE}


def _http_key(job_id: str) -> str:
    return f"http:{job_id}"
