"""The health of a session is hard-coded: it is ready, whatever it shows, whoever asks, and if there is none."""

from __future__ import annotations

from typing import Any

from ..breaking import Break, rerouted


def apply() -> None:
    def by(_handler: Any) -> Any:
        async def ready(request: Any) -> Any:
            from aiohttp import web  # noqa: PLC0415 - the program imports it quickly, later

            return web.json_response({"status": "ready", "sessionId": request.match_info["session_id"]})

        return ready

    rerouted("edit.pages", "/session/{session_id}/health", by)


BREAK = Break(
    "edit", "cold_start", r"the status of \S+/health, a session that was never opened to be 404\nseen: 200", apply
)
