"""Who asks again, because the load balancer gave up on the first request, gets a second session beside the first."""

from __future__ import annotations

from typing import Any

from ..breaking import Break, part, wrap


def apply() -> None:
    def by(resumed: Any) -> Any:
        async def only_at_rest(self: Any, session: Any, before: Any) -> Any:
            return None if session.status == "initializing" else await resumed(self, session, before)

        return only_at_rest

    wrap(part("hermes.opening").Opening, "_resumed", by)


BREAK = Break("hermes", "readiness", r"the sessions of \S+, who asked twice, to be \['\S+'\]\nseen: \['\S+', '", apply)
