r"""A request that stays in flight until the scenario finishes it: the client holds back the end of its body.

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

from .background import background
from .context import Context
from .http import Answer, Http


class HeldRequest:
    """One request in flight."""

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
        """The body; iterated once the server has asked for it with 100 Continue."""
        self._started.set()
        yield text[:1].encode()
        await self._may_end.wait()
        yield text[1:].encode()

    async def wait_until_started(self) -> None:
        """Wait until the server waits for the body."""
        assert self.answering is not None
        async with background(self._started.wait(), "held request started") as started:
            await asyncio.wait({started, self.answering}, return_when=asyncio.FIRST_COMPLETED)
        self._context.checks.check(
            self._started.is_set(),
            f"the request to {self._url} to be under way",
            seen=self.answering.done() and self.answering.result(),
        )


class HeldRequests:
    """Begins requests and holds them open."""

    def __init__(self, context: Context, http: Http) -> None:
        self._context = context
        self._http = http

    @asynccontextmanager
    async def post(
        self, url: str, body: Mapping[str, Any], *, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[HeldRequest]:
        """A POST that is in flight inside the block; cancelled at its end when there is no answer by then."""
        __tracebackhide__ = True
        held = HeldRequest(self._context, url)
        sent = {"Content-Type": "application/json", "Expect": "100-continue", **(headers or {})}
        request = self._http.request("POST", url, data=held.body(json.dumps(body)), headers=sent)
        async with background(request, f"held {url}") as held.answering:
            await held.wait_until_started()
            yield held
