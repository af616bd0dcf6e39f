"""The health of a session is hard-coded: always ready, for every caller, even without such a session."""

from typing import Any

from ..breaking import Break

BREAK = Break("edit", "cold_start", r"the status of \S+/health, a session that was never opened to be 404\nseen: 200")


@BREAK.reroutes("edit.pages", "/session/{session_id}/health")
async def ready(_handler: Any, request: Any) -> Any:
    from aiohttp import web  # noqa: PLC0415 - the program imports it quickly, later

    return web.json_response({"status": "ready", "sessionId": request.match_info["session_id"]})
