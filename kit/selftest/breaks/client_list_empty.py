"""The sessions of a client are looked up by a wrong key: there are none, ever."""

from typing import Any

from ..breaking import Break

BREAK = Break("hermes", "cold_start", r"among the sessions of its client at \S+")


@BREAK.reroutes("hermes.api", "/client/{client_id}")
async def none(handler: Any, request: Any) -> Any:
    answer = await handler(request)
    answer.body = b"[]"
    return answer
