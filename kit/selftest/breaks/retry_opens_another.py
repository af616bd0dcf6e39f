"""A retry, after the load balancer gave up on the first request, opens a second session beside the first."""

from typing import Any

from ..breaking import Break

BREAK = Break(
    "hermes",
    "readiness",
    r"the sessions of \S+, who asked twice, to be \['\S+'\]\nseen: \['\S+', '",
    mixes=r"legal_life: .* open sessions of one thread",
)


@BREAK.replaces("hermes.opening", "Opening._resumed")
async def only_at_rest(resumed: Any, opening: Any, session: Any, before: Any) -> Any:
    return None if session.status == "initializing" else await resumed(opening, session, before)
