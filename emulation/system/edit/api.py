"""The container's own interface: health, works, what is known of a session."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from aiohttp import web

from .. import names
from ..agent import CannotDo, NotUnderstood
from ..answers import Refused, json_object, text_field
from ..clock import iso
from .container import Container
from .directory import Place
from .git import GitError
from .work import Order

LONGEST_INSTRUCTION = 256 * 1024
"""Characters; mails are limited to 150 KB on their way in."""


def routes(container: Container) -> list[web.RouteDef]:
    async def health(request: web.Request) -> web.Response:
        if problem := container.problem():
            return web.json_response({"status": "unhealthy", "reason": problem}, status=503)
        return web.json_response({"status": "healthy", "timestamp": iso(container.clock.now())})

    async def work(request: web.Request) -> web.Response:
        order = _order(request.match_info["session_id"], await json_object(request))
        container.directory.enter(Place(order.session_id, order.client_id, order.user_id, order.thread_id))
        try:
            done = await container.worker.carry_out(order)
        except (NotUnderstood, CannotDo) as failed:
            raise Refused(422, str(failed)) from None
        except (GitError, OSError) as error:
            raise Refused(503, f"The workspace is not usable: {error}") from None
        return web.json_response(asdict(done) | _whereabouts(request))

    async def session(request: web.Request) -> web.Response:
        place = await container.place(request)
        snapshot = await container.projects.snapshot(place.client_id, place.user_id, place.branch)
        pages = [path for path in snapshot.paths() if path.startswith("src/pages/")] if snapshot else []
        return web.json_response(
            {
                "sessionId": place.session_id,
                "clientId": place.client_id,
                "userId": place.user_id,
                "threadId": place.thread_id,
                "branch": place.branch,
                "commit": snapshot.commit if snapshot else None,
                "pages": sorted(pages),
            }
        )

    def _whereabouts(request: web.Request) -> dict[str, str]:
        """The task that did it, and the address at which it was reached."""
        address = request.transport.get_extra_info("sockname") if request.transport else None
        return {"taskArn": container.task_arn, "containerIp": address[0] if address else ""}

    return [
        web.get("/api/health", health),
        web.post("/api/sessions/{session_id}/work", work),
        web.get("/api/sessions/{session_id}", session),
    ]


def _order(session_id: str, body: dict[str, Any]) -> Order:
    """Raises `InvalidName` or `Refused`, both a 400."""
    return Order(
        session_id=names.session_id(session_id),
        client_id=names.client_id(body.get("clientId")),
        user_id=names.user_id(body.get("userId")),
        thread_id=names.thread_id(body.get("threadId")),
        work_id=names.work_id(body.get("workId")),
        instruction=text_field(body, "instruction", LONGEST_INSTRUCTION),
    )
