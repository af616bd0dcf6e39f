"""The admin API below `/_emulation/`, which cannot be the name of an S3 bucket."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

from aiohttp import web

from .record import Recorder

Answer = Callable[[], Awaitable[Any]]
"""Returns a JSON-able value."""


PREFIX = "/_emulation/"
_OPEN = frozenset({f"{PREFIX}health"})
"""What needs no token: a container engine's health check has none."""


class Admin:
    """The admin API. Its token is the secret of the run's access key: `Authorization: Bearer <secret>`."""

    def __init__(self, recorder: Recorder, token: str) -> None:
        self._recorder = recorder
        self._token = token
        self._answers: dict[str, Answer] = {}

    def add(self, answers: Mapping[str, Answer]) -> None:
        """Serve `GET /_emulation/<name>`. Raises ValueError for a name in use."""
        for name, answer in answers.items():
            if name in self._answers or name == "calls":
                raise ValueError(f"/_emulation/{name} is answered by two parts of the cloud")
            self._answers[name] = answer

    def refusal(self, request: web.Request) -> str:
        """Why a request may not use the admin API; empty for one that may, and for any other path."""
        if not request.path.startswith(PREFIX) or request.path in _OPEN:
            return ""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme == "Bearer" and hmac.compare_digest(token.encode(), self._token.encode()):
            return ""
        return f"{request.path} needs the header 'Authorization: Bearer <secret access key of this cloud>'"

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/_emulation/calls", self._calls), web.get("/_emulation/{name}", self._named)]

    async def _calls(self, request: web.Request) -> web.Response:
        since = request.query.get("since", "0")
        if not since.isdecimal() or len(since) > 18:
            return web.json_response({"error": f"since must be a call's number, got {since!r}"}, status=400)
        return web.json_response([asdict(call) for call in self._recorder.since(int(since))])

    async def _named(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in self._answers:
            known = ", ".join(sorted([*self._answers, "calls"]))
            return web.json_response({"error": f"no /_emulation/{name}; there are {known}"}, status=404)
        return web.json_response(await self._answers[name]())
