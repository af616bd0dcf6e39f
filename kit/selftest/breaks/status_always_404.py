"""The status of a session is looked up by a wrong key: it is always 404."""

from typing import Any

from ..breaking import Break, part

BREAK = Break("hermes", "cold_start", r"the status of GET \S+/status to be 200\nseen: 404")


@BREAK.reroutes("hermes.api", "/status")
async def status(*_: Any) -> Any:
    raise part("answers").Refused(404, "Session not found")
