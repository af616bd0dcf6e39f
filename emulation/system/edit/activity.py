"""Somebody looks at a session: keeps its row alive, in the background, now and then."""

from __future__ import annotations

import asyncio
import logging

from ..aws_errors import AwsError
from ..clock import Clock
from ..table import Below, Table
from .directory import Place

log = logging.getLogger(__name__)

EVERY = 10.0
"""AWS seconds between two updates of one session's row: well below any idle time."""
_OPEN = ("initializing", "active")
ROW_LIFE = 1800
"""Seconds from the last activity to the row's `ttl`."""


class Activity:
    """Preview pages and open hot-reload sockets are activity; health checks are not."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock
        self._seen: dict[str, float] = {}
        self._updates: set[asyncio.Task[None]] = set()

    def touch(self, place: Place) -> None:
        """Count this moment as activity; returns at once."""
        now = self._clock.now()
        if now < self._seen.get(place.session_id, 0) + EVERY:
            return
        self._seen[place.session_id] = now
        update = asyncio.create_task(self._update(place, now))
        self._updates.add(update)
        update.add_done_callback(self._updates.discard)

    async def has_ended(self, place: Place) -> bool:
        """Whether the session is over; what cannot be found out is no."""
        try:
            rows = await self._table.query("sessionId", place.session_id)
        except AwsError as error:
            log.warning("whether a session has ended is unknown", extra={"cause": str(error)})
            return False
        return all(row.get("status") not in _OPEN for row in rows)

    async def finish(self, within: float) -> None:
        """Wait for updates under way, for so many AWS seconds, and drop those that are not done by then."""
        updates = set(self._updates)
        if updates:
            await self._clock.wait(updates, within)
        for update in updates:
            update.cancel()
        await asyncio.gather(*updates, return_exceptions=True)

    async def _update(self, place: Place, now: float) -> None:
        """The row must exist and be open: looking at a page neither creates a session nor revives one."""
        moment = int(now * 1000)
        try:
            await self._table.update(
                {"sessionId": place.session_id, "userId": place.user_id},
                {"lastActivity": moment, "ttl": int(now) + ROW_LIFE},
                when={"status": _OPEN, "lastActivity": Below(moment)},
            )
        except AwsError as error:
            self._seen.pop(place.session_id, None)
            log.warning("activity was not noted", extra={"sessionId": place.session_id, "cause": str(error)})
