r"""A request that is under way for as long as a scenario wants: the client keeps the end of its body back.

client --head--> load balancer --head--> target: waits for the body
       <--100--                             |
         in flight ... finish() --body-->   +--answer-->
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from .context import Context
from .http import Answer, Http


class HeldRequest:
    """One request under way."""

    def __init__(self, context: Context, url: str) -> None:
        self._context = context
        self._url = url
        self._started = asyncio.Event()
        self._may_end = asyncio.Event()
        self.answering: asyncio.Task[Answer] | None = None

    async def finish(self) -> None:
        """Send the end of the body."""
        self._may_end.set()

    async def answer(self, *, within: float) -> Answer:
        """Wait for the answer; `within` AWS seconds."""
        __tracebackhide__ = True
        assert self.answering is not None
        answering = self.answering

        async def look() -> bool:
            return answering.done()

        await self._context.eventually(
            look, within=within, describe=f"an answer to the request under way to {self._url}", counts=False
        )
        return answering.result()

    async def body(self, text: str) -> AsyncIterator[bytes]:
        """The body: asked for once the other side waits for it."""
        self._started.set()
        yield text[:1].encode()
        await self._may_end.wait()
        yield text[1:].encode()

    async def wait_until_started(self) -> None:
        """Wait until the other side waits for the body."""
        assert self.answering is not None
        started = asyncio.ensure_future(self._started.wait())
        await asyncio.wait({started, self.answering}, return_when=asyncio.FIRST_COMPLETED)
        started.cancel()
        self._context.checks.check(
            self._started.is_set(),
            f"the request to {self._url} to be under way",
            seen=self.answering.done() and self.answering.result(),
        )


class HeldRequests:
    """Begins requests and holds them."""

    def __init__(self, context: Context, http: Http) -> None:
        self._context = context
        self._http = http

    @asynccontextmanager
    async def post(
        self, url: str, body: Mapping[str, Any], *, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[HeldRequest]:
        """A POST that is under way inside the block; given up at its end when there is no answer by then."""
        __tracebackhide__ = True
        held = HeldRequest(self._context, url)
        sent = {"Content-Type": "application/json", "Expect": "100-continue", **(headers or {})}
        held.answering = asyncio.create_task(
            self._http.request("POST", url, data=held.body(json.dumps(body)), headers=sent), name=f"held {url}"
        )
        try:
            await held.wait_until_started()
            yield held
        finally:
            held.answering.cancel()
            await asyncio.gather(held.answering, return_exceptions=True)
