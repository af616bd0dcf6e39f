"""A limit of replies: a robot that answers every reply must not keep the two of them busy for ever."""

from __future__ import annotations

from ..clock import Clock
from ..table import Table

MOST = 20
"""Replies to one sender in one thread within the window. People stay far below it."""
WINDOW = 3600
"""Seconds."""


class ReplyLimit:
    """Counts replies in Hermes' table, so that a robot that is slow enough for Hermes to go away is counted too."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    async def allows(self, sender: str, thread_id: str) -> bool:
        """Count one more reply; False when there were `MOST` in the window."""
        key, now = f"replies to {sender} in {thread_id}", int(self._clock.now())
        row = next(iter(await self._table.query("messageId", key)), {})
        since, count = int(row.get("since") or 0), int(row.get("count") or 0)
        if now - since >= WINDOW:
            since, count = now, 0
        if count >= MOST:
            return False
        await self._table.put({"messageId": key, "since": since, "count": count + 1, "ttl": since + WINDOW})
        return True
