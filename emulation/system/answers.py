"""The HTTP server: JSON answers, errors included: `{"statusCode", "message"}` as NestJS gives them."""

from __future__ import annotations

import json
import logging
import socket
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from .aws_errors import Unavailable
from .names import InvalidName

log = logging.getLogger(__name__)

RETRY_AFTER = 5
"""Seconds after which a client that met a 503 may ask again."""


class Refused(Exception):
    """An answer other than success: its HTTP status and a message for the caller."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def error(status: int, message: str) -> web.Response:
    headers = {"Retry-After": str(RETRY_AFTER)} if status == 503 else None
    return web.json_response({"statusCode": status, "message": message}, status=status, headers=headers)


def json_errors(server: str) -> Middleware:
    """Turns exceptions of a handler into JSON answers. An unexpected one is logged, and answered with a plain 500."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            response = await handler(request)
        except Refused as refused:
            response = error(refused.status, refused.message)
        except InvalidName as invalid:
            response = error(400, str(invalid))
        except Unavailable as unavailable:
            log.warning("AWS is unavailable", extra={"path": request.path, "cause": str(unavailable)})
            response = error(503, f"Temporarily unavailable: {unavailable.code}")
        except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
            response = error(404, f"Cannot {request.method} {request.path}")
        except web.HTTPException as other:
            response = error(other.status, other.reason)
        except Exception:
            log.exception("a request failed", extra={"method": request.method, "path": request.path})
            response = error(500, "Internal server error")
        if not response.prepared:
            response.headers["Server"] = server
        return response

    return middleware


async def json_object(request: web.Request) -> dict[str, Any]:
    """The request's body, which must be a JSON object; raises `Refused` with 400."""
    try:
        body = json.loads(await request.read())
    except (ValueError, RecursionError):
        raise Refused(400, "The body must be a JSON object") from None
    if not isinstance(body, dict):
        raise Refused(400, "The body must be a JSON object")
    return body


def text_field(body: dict[str, Any], name: str, longest: int) -> str:
    """A field that must be text of 1 to `longest` characters; raises `Refused` with 400."""
    value = body.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Refused(400, f"{name} must be a text that is not empty")
    if len(value) > longest:
        raise Refused(400, f"{name} must have at most {longest} characters, it has {len(value)}")
    return value


async def serve(app: web.Application, listening: socket.socket, *, grace: float) -> web.AppRunner:
    """Serve an application on a socket that listens already; `await runner.cleanup()` ends it, giving open
    requests `grace` wall seconds."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=grace)
    await runner.setup()
    await web.SockSite(runner, listening, backlog=512).start()
    log.info("serving", extra={"address": "{}:{}".format(*listening.getsockname()[:2])})
    return runner
