"""Sends HTTP health checks to targets."""

from __future__ import annotations

from collections.abc import Callable

import aiohttp

from ...time.clock import Clock
from .links import Links
from .routing_table import HealthCheck, RoutingTable
from .target_health import FAILED, HEALTHY, TIMED_OUT, HealthCheckHistory, TargetHealth, mismatch
from .targets import Target

HEADERS = {"User-Agent": "ELB-HealthChecker/2.0", "Accept-Encoding": "gzip, compressed"}


class HealthChecker:
    """Checks a target when it is registered and then every interval (AWS seconds)."""

    def __init__(self, clock: Clock, links: Links, table: Callable[[], RoutingTable]) -> None:
        self._clock = clock
        self._links = links
        self._table = table
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, target: Target, report: Callable[[TargetHealth], None]) -> None:
        record = HealthCheckHistory()
        while True:
            started = self._clock.now()
            check = self._table().target_groups[target.group_arn].health_check
            report(record.note(await self._result(target, check), check))
            await self._clock.sleep_until(started + check.interval)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _result(self, target: Target, check: HealthCheck) -> TargetHealth:
        try:
            async with self._clock.timeout(self._clock.patience(check.timeout)):
                await self._links.reach(target.id, target.port)
                code = await self._ask(target, check)
        except TimeoutError:
            return TIMED_OUT
        except (aiohttp.ClientError, OSError):
            return FAILED
        return HEALTHY if code in check.codes else mismatch(code)

    async def _ask(self, target: Target, check: HealthCheck) -> int:
        if self._session is None:
            # AWS closes the connection after each check.
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(force_close=True, limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
                headers=HEADERS,
                skip_auto_headers=("Accept",),
                auto_decompress=False,
            )
        path, _, query = check.path.partition("?")
        url = target.url(check.protocol, path, query, check.port)
        async with self._session.get(url, allow_redirects=False, ssl=False) as answer:
            await answer.read()
            return answer.status
