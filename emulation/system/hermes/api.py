"""Hermes by HTTP. No prefix is stripped on the way here, so every path begins with /hermes."""

from __future__ import annotations

from aiohttp import web

from .. import names
from ..answers import Refused, json_object, text_field
from ..clock import Clock, iso
from .activation import Activation
from .sessions import Session, Sessions, idle_since
from .watch import Watch

LONGEST_INSTRUCTION = 256 * 1024
"""Characters, as edit takes them."""


def routes(sessions: Sessions, activation: Activation, watch: Watch, clock: Clock) -> list[web.RouteDef]:
    return _Api(sessions, activation, watch, clock).routes()


class _Api:
    def __init__(self, sessions: Sessions, activation: Activation, watch: Watch, clock: Clock) -> None:
        self._sessions = sessions
        self._activation = activation
        self._watch = watch
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/hermes", self.about),
            web.get("/hermes/", self.about),
            web.get("/hermes/health", self.health),
            web.post("/hermes/api/sessions/activate", self.activate),
            web.get("/hermes/api/sessions/client/{client_id}", self.of_client),
            web.get("/hermes/api/sessions/{session_id}/status", self.status),
            web.post("/hermes/api/sessions/{session_id}/keepalive", self.keepalive),
            web.post("/hermes/api/sessions/{session_id}/deactivate", self.deactivate),
        ]

    async def about(self, request: web.Request) -> web.Response:
        return web.json_response({"service": "hermes", "health": "/hermes/health", "api": "/hermes/api/sessions"})

    async def health(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "healthy", "timestamp": iso(self._clock.now())})

    async def activate(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        client_id = names.client_id(body.get("clientId"))
        user_id = names.user_id(body.get("userId"))
        thread = body.get("threadId")
        thread_id = None if thread is None else names.thread_id(thread).removeprefix("thread-")
        instruction = text_field(body, "instruction", LONGEST_INSTRUCTION)
        session = await self._activation.activate(client_id, user_id, thread_id, instruction)
        return web.json_response(
            {"sessionId": session.session_id, "previewUrl": session.preview_url, "status": session.status}, status=201
        )

    async def status(self, request: web.Request) -> web.Response:
        session = await self._session(request)
        return web.json_response(
            {
                "status": session.status,
                "containerIp": session.container_ip,
                "lastActivity": iso(idle_since(session)),
                "previewUrl": session.preview_url,
            }
        )

    async def keepalive(self, request: web.Request) -> web.Response:
        session = await self._session(request)
        kept = await self._sessions.keep_alive(session)
        if kept is None:
            raise Refused(409, f"Session is {session.status if not session.is_open else 'ended'}")
        return web.json_response({"ttl": kept.ttl, "status": kept.status}, status=201)

    async def deactivate(self, request: web.Request) -> web.Response:
        session = await self._session(request)
        if await self._sessions.drain(session) is None and session.status != "draining":
            raise Refused(409, f"Session is {session.status if not session.is_open else 'ended'}")
        self._watch.notice()
        return web.json_response({"status": "draining", "message": "Session is being deactivated"}, status=201)

    async def of_client(self, request: web.Request) -> web.Response:
        client_id = names.client_id(request.match_info["client_id"])
        return web.json_response(
            [
                {
                    "sessionId": session.session_id,
                    "userId": session.user_id,
                    "status": session.status,
                    "previewUrl": session.preview_url,
                    "lastActivity": iso(idle_since(session)),
                }
                for session in await self._sessions.of_client(client_id)
            ]
        )

    async def _session(self, request: web.Request) -> Session:
        session = await self._sessions.get(names.session_id(request.match_info["session_id"]))
        if session is None:
            raise Refused(404, "Session not found")
        return session
