"""The Lambda Runtime API, by which a process gets events and returns results.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

_ROOT = "/_lambda/{environment}/2018-06-01/runtime"


@dataclass(eq=False)
class Work:
    """One event for a process."""

    request_id: str
    function_arn: str
    payload: bytes
    remaining_ms: int
    """Until the timeout, in wall milliseconds."""
    trace_id: str
    result: asyncio.Future[tuple[str, bytes]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    """("response" or "error", the body)."""


@dataclass(eq=False)
class Channel:
    """What the Runtime API knows of one process."""

    ready: asyncio.Future[bytes] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    """Set at the first request for an event: empty, or the body of an initialization error."""
    queue: asyncio.Queue[Work] = field(default_factory=asyncio.Queue)
    current: Work | None = None


class RuntimeApi:
    """Serves `/_lambda/<environment>`; no bucket can have such a name."""

    def __init__(self) -> None:
        self.channels: dict[str, Channel] = {}

    def web_routes(self) -> Iterable[web.RouteDef]:
        return [
            web.get(f"{_ROOT}/invocation/next", self._next),
            web.post(f"{_ROOT}/invocation/{{request_id}}/{{kind:response|error}}", self._result),
            web.post(f"{_ROOT}/init/error", self._init_error),
        ]

    async def _next(self, request: web.Request) -> web.Response:
        channel = self._channel(request)
        _set(channel.ready, b"")
        work = channel.current = await channel.queue.get()
        headers = {
            "Lambda-Runtime-Aws-Request-Id": work.request_id,
            "Lambda-Runtime-Invoked-Function-Arn": work.function_arn,
            "Lambda-Runtime-Remaining-Ms": str(work.remaining_ms),
            "Lambda-Runtime-Trace-Id": work.trace_id,
        }
        return web.Response(body=work.payload, headers=headers, content_type="application/json")

    async def _result(self, request: web.Request) -> web.Response:
        channel, body = self._channel(request), await request.read()
        work = channel.current
        if work is None or work.request_id != request.match_info["request_id"]:
            raise web.HTTPBadRequest(text="InvalidRequestID")
        channel.current = None
        _set(work.result, (request.match_info["kind"], body))
        return _accepted()

    async def _init_error(self, request: web.Request) -> web.Response:
        _set(self._channel(request).ready, await request.read() or b"{}")
        return _accepted()

    def _channel(self, request: web.Request) -> Channel:
        channel = self.channels.get(request.match_info["environment"])
        if channel is None:
            raise web.HTTPForbidden(text="the execution environment has ended")
        return channel


def _accepted() -> web.Response:
    status: Mapping[str, Any] = {"status": "OK"}
    return web.json_response(status, status=202)


def _set(future: asyncio.Future[Any], value: Any) -> None:
    if not future.done():
        future.set_result(value)
