"""Hermes by HTTP. No prefix is stripped on the way here, so every path begins with /hermes."""

from __future__ import annotations

from aiohttp import web

from emulation.system import names
from emulation.system.answers import Refused, json_object, text_field
from emulation.system.clock import Clock, iso
from emulation.system.hermes.activation import Activation
from emulation.system.hermes.sessions import Session, Sessions, idle_since
from emulation.system.hermes.watch import Watch

LONGEST_INSTRUCTION = 256 * 1024
"""Characters, as edit takes them."""


def routes(sessions: Sessions, activation: Activation, watch: Watch, clock: Clock) -> list[web.RouteDef]:
    async def about(request: web.Request) -> web.Response:
        return web.json_response({"service": "hermes", "health": "/hermes/health", "api": "/hermes/api/sessions"})

    async def health(request: web.Request) -> web.Response:
        return web.json_response({"status": "healthy", "timestamp": iso(clock.now())})

    async def activate(request: web.Request) -> web.Response:
        body = await json_object(request)
        client_id = names.client_id(body.get("clientId"))
        user_id = names.user_id(body.get("userId"))
        thread = body.get("threadId")
        thread_id = None if thread is None else names.thread_id(thread).removeprefix("thread-")
        instruction = text_field(body, "instruction", LONGEST_INSTRUCTION)
        session = await activation.activate(client_id, user_id, thread_id, instruction)
        return web.json_response(
            {"sessionId": session.session_id, "previewUrl": session.preview_url, "status": session.status}, status=201
        )

    async def status(request: web.Request) -> web.Response:
        session = await _session(request)
        return web.json_response(
            {
                "status": session.status,
                "containerIp": session.container_ip,
                "lastActivity": iso(idle_since(session)),
                "previewUrl": session.preview_url,
            }
        )

    async def keepalive(request: web.Request) -> web.Response:
        session = await _session(request)
        kept = await sessions.keep_alive(session)
        if kept is None:
            raise Refused(409, f"Session is {session.status if not session.is_open else 'ended'}")
        return web.json_response({"ttl": kept.ttl, "status": kept.status}, status=201)

    async def deactivate(request: web.Request) -> web.Response:
        session = await _session(request)
        if await sessions.drain(session) is None and session.status != "draining":
            raise Refused(409, f"Session is {session.status if not session.is_open else 'ended'}")
        watch.notice()
        return web.json_response({"status": "draining", "message": "Session is being deactivated"}, status=201)

    async def of_client(request: web.Request) -> web.Response:
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
                for session in await sessions.of_client(client_id)
            ]
        )

    async def _session(request: web.Request) -> Session:
        session = await sessions.get(names.session_id(request.match_info["session_id"]))
        if session is None:
            raise Refused(404, "Session not found")
        return session

    return [
        web.get("/hermes", about),
        web.get("/hermes/", about),
        web.get("/hermes/health", health),
        web.post("/hermes/api/sessions/activate", activate),
        web.get("/hermes/api/sessions/client/{client_id}", of_client),
        web.get("/hermes/api/sessions/{session_id}/status", status),
        web.post("/hermes/api/sessions/{session_id}/keepalive", keepalive),
        web.post("/hermes/api/sessions/{session_id}/deactivate", deactivate),
    ]
