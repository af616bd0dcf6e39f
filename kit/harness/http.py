"""HTTP through the load balancer: what came back, and when its first byte did."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.clock import Clock
from ..core.eventually import shortened
from ..system import contract
from ..system.facts import BALANCER_SERVER, PREVIEW_HEADER

_ANSWER_WITHIN = 150.0
"""Wall seconds: an activation of the deployed system may take 120."""
_KEPT_OPEN = 10.0
"""AWS seconds for which an idle connection is used again: well before the load balancer closes it, for a request
that meets the closing has no answer and cannot be repeated."""


class NoAnswer(OSError):
    """A request to which no answer came, or half of one. What it did is open."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    url: str
    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: str
    first_byte: float
    """AWS time at which its head arrived, epoch seconds."""
    cookies: Mapping[str, str] = field(default_factory=dict)
    """The cookies it set. None is ever sent back but by who asks for it."""

    @property
    def by_balancer(self) -> bool:
        """The load balancer answered by itself, no target was reached (or none answered)."""
        return self.headers.get("server", "") == BALANCER_SERVER

    def json(self) -> Any:
        """The body as JSON. Raises ValueError that shows what it is instead."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise ValueError(f"{self.url} answered {self.status} with no JSON: {shortened(self.body)}") from None

    def __str__(self) -> str:
        who = " by the load balancer" if self.by_balancer else ""
        return f"{self.status}{who} from {self.url}: {shortened(self.body, 120)}"


class Http:
    """One connection pool for one scenario; opened at the first request."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.previews: set[str] = set()
        """What rendered the pages that were seen, as they say themselves."""
        self._session: Any = None

    async def request(
        self,
        method: str,
        url: str,
        *,
        body: Any = None,
        data: AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request, never repeated, redirects not followed; `body` is sent as JSON, `data` as it comes.

        Raises `NoAnswer` or TimeoutError when none came, `ContractBroken` when it is in other terms than agreed on.
        """
        import aiohttp  # noqa: PLC0415 - heavy: only where a call is made

        from .resolver import Resolver  # noqa: PLC0415

        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0, keepalive_timeout=_KEPT_OPEN / self._clock.scale, resolver=Resolver()
                ),
                timeout=aiohttp.ClientTimeout(total=_ANSWER_WITHIN),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        try:
            async with self._session.request(
                method, url, json=body, data=data, headers=headers, allow_redirects=False
            ) as response:
                first_byte = self._clock.now()
                text = await response.text(errors="replace")
                cookies = {name: morsel.value for name, morsel in response.cookies.items()}
        except aiohttp.ClientError as error:
            raise NoAnswer(f"{method} {url} had no answer: {type(error).__name__}: {error}") from error
        head = {name.lower(): value for name, value in response.headers.items()}
        if PREVIEW_HEADER in head:
            self.previews.add(head[PREVIEW_HEADER])
        answer = Answer(url, response.status, head, text, first_byte, cookies)
        if not answer.by_balancer:
            contract.check_answer(method, url, answer.status, text)
        return answer

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> Answer:
        return await self.request("GET", url, headers=headers)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None
