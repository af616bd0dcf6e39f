"""The admin API below `/_emulation/`, which cannot be the name of an S3 bucket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

from aiohttp import web

from .record import Recorder

Answer = Callable[[], Awaitable[Any]]
"""Returns a JSON-able value."""


class Admin:
    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._answers: dict[str, Answer] = {}

    def add(self, answers: Mapping[str, Answer]) -> None:
        """Serve `GET /_emulation/<name>`. Raises ValueError for a name in use."""
        for name, answer in answers.items():
            if name in self._answers or name == "calls":
                raise ValueError(f"/_emulation/{name} is answered by two parts of the cloud")
            self._answers[name] = answer

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/_emulation/calls", self._calls), web.get("/_emulation/{name}", self._named)]

    async def _calls(self, request: web.Request) -> web.Response:
        since = request.query.get("since", "0")
        if not since.isdecimal():
            return web.json_response({"error": f"since must be a call's number, got {since!r}"}, status=400)
        return web.json_response([asdict(call) for call in self._recorder.since(int(since))])

    async def _named(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in self._answers:
            known = ", ".join(sorted([*self._answers, "calls"]))
            return web.json_response({"error": f"no /_emulation/{name}; there are {known}"}, status=404)
        return web.json_response(await self._answers[name]())
