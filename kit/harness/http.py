"""HTTP requests through the load balancer, with the time of each answer's first byte."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.changes import looks_at
from ..core.clock import Clock
from ..core.eventually import shortened
from ..system import contract
from ..system.facts import BALANCER_SERVER, PREVIEW_HEADER

_ANSWER_WITHIN = 150.0
"""Wall seconds: an activation of the deployed system may take 120."""
_KEPT_OPEN = 10.0
"""AWS seconds for which an idle connection is reused: well below the load balancer's keep-alive, because a request
that meets the closing has no answer and cannot be repeated."""


class NoAnswer(OSError):
    """A request without a complete answer; it may or may not have had an effect."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    url: str
    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: str
    first_byte: float
    """AWS time at which the headers arrived, epoch seconds."""
    cookies: Mapping[str, str] = field(default_factory=dict)
    """The cookies it set. The kit sends none of them back by itself."""

    @property
    def by_balancer(self) -> bool:
        """Whether the load balancer itself answered: it reached no target, or none answered."""
        return self.headers.get("server", "") == BALANCER_SERVER

    def json(self) -> Any:
        """The body as JSON. Raises ValueError that quotes the body otherwise."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise ValueError(f"{self.url} answered {self.status} with no JSON: {shortened(self.body)}") from None

    def __str__(self) -> str:
        by = " by the load balancer" if self.by_balancer else ""
        return f"{self.status}{by} from {self.url}: {shortened(self.body, 120)}"


class Http:
    """A scenario's connection pool; opened at the first request."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.previews: set[str] = set()
        """The renderers that the fetched pages name in their `x-preview` header."""
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
        """Make one request, without retries or redirects; `body` is sent as JSON, `data` unchanged.

        Raises `NoAnswer` or TimeoutError without an answer, `ContractBroken` for one that violates the contract.
        """
        import aiohttp  # noqa: PLC0415 - heavy: only where a call is made

        from .resolver import Resolver  # noqa: PLC0415

        looks_at("http")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, resolver=Resolver(), **self._kept_open()),
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

    def _kept_open(self) -> dict[str, Any]:
        """On a clock that jumps, a minute of AWS time may pass at once, and the load balancer closes what was idle."""
        if self._clock.page is not None:
            return {"force_close": True}
        return {"keepalive_timeout": _KEPT_OPEN / self._clock.scale}

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> Answer:
        return await self.request("GET", url, headers=headers)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None
