"""Watches over the open sessions: expires the idle ones, and publishes how many there are, also when none."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from ..aws import Aws
from ..aws_errors import AwsError
from ..clock import Clock
from .in_flight import InFlight
from .sessions import Session, Sessions, idle_since

log = logging.getLogger(__name__)

EVERY = 10.0
"""AWS seconds between datapoints: the period of the alarms that scale the services."""
AT_MOST_EVERY = 1.0
"""AWS seconds that news may wait for other news."""
WOKEN = 60.0
"""AWS seconds for which a Hermes that found nothing to do stays: a client met a 503 and will come again."""


class Watch:
    def __init__(
        self,
        sessions: Sessions,
        in_flight: InFlight,
        aws: Aws,
        clock: Clock,
        *,
        namespace: str,
        environment: str,
        idle_seconds: float,
    ) -> None:
        self._sessions = sessions
        self._in_flight = in_flight
        self._aws = aws
        self._clock = clock
        self._namespace = namespace
        self._environment = environment
        self._idle_seconds = idle_seconds
        self._started = clock.now()
        self._left: list[Session] | None = None
        """The sessions that are not over, as last seen; None before the first look."""
        self._news = asyncio.Event()
        in_flight.tell(self.notice)

    def notice(self) -> None:
        """Something changed: look now."""
        self._news.set()

    async def run(self) -> None:
        while True:
            self._news.clear()
            wait = EVERY
            try:
                wait = await self.look()
            except AwsError as error:
                log.warning("the counts were not published", extra={"cause": str(error)})
            await self._clock.sleep(AT_MOST_EVERY)
            try:
                async with self._clock.timeout(max(0.0, wait - AT_MOST_EVERY)):
                    await self._news.wait()
            except TimeoutError:
                pass

    async def look(self) -> float:
        """Expire and publish; returns the AWS seconds until there is something to do again.

        Raises `AwsError` when nothing could be published. Not knowing is not none: sessions that cannot be read
        are counted as they were, for zero or silence would take their containers away.
        """
        readable = await self._read()
        left = self._left or []
        busy = self._in_flight.sessions()
        active = {session.session_id for session in left if session.is_open} | busy
        pending = len({session.session_id for session in left} | busy) + self._in_flight.mails
        if self._left is None and not pending:
            return EVERY
        counts = {"PendingWork": pending or self._just_woken()}
        if active or not counts["PendingWork"]:
            # No zero while something is on its way to a session: it would scale edit in just when that scales it out.
            counts["ActiveSessionCount"] = len(active)
        await self._publish(counts)
        if not readable:
            return EVERY
        now = self._clock.now()
        idle_at = [idle_since(session) + self._idle_seconds - now for session in left if session.session_id not in busy]
        return max(0.0, min([EVERY, *idle_at]))

    async def _read(self) -> bool:
        """Learn which sessions are left, and expire those that are over; False when the table cannot be read."""
        try:
            found = await self._sessions.with_status("initializing", "active", "draining")
            self._left = [session for session in found if not await self._expired(session)]
        except AwsError as error:
            log.warning("sessions cannot be read, they count as before", extra={"cause": str(error)})
            return False
        return True

    async def _expired(self, session: Session) -> bool:
        """End this session, and no other, when it has been idle for too long or is drained."""
        if session.session_id in self._in_flight.sessions():
            return False
        idle = self._clock.now() - idle_since(session)
        if session.is_open and idle <= self._idle_seconds:
            return False
        if not await self._sessions.expire(session):
            return False
        log.info("session expired", extra={"sessionId": session.session_id, "idleSeconds": round(idle, 1)})
        return True

    def _just_woken(self) -> int:
        return int(not self._in_flight.ever and self._clock.now() < self._started + WOKEN)

    async def _publish(self, counts: Mapping[str, int]) -> None:
        dimensions = [{"Name": "Environment", "Value": self._environment}]
        data = [
            {
                "MetricName": name,
                "Dimensions": dimensions,
                "Timestamp": self._clock.now(),
                "Value": value,
                "Unit": "Count",
                "StorageResolution": 1,
            }
            for name, value in counts.items()
        ]
        await self._aws.call("cloudwatch", "put_metric_data", attempts=3, Namespace=self._namespace, MetricData=data)
