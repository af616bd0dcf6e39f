"""The sessions of a client are looked up by a wrong key: there are none, ever."""

from __future__ import annotations

import json
from typing import Any

from ..breaking import Break, rerouted


def apply() -> None:
    def by(handler: Any) -> Any:
        async def none(request: Any) -> Any:
            answer = await handler(request)
            answer.body = json.dumps([]).encode()
            return answer

        return none

    rerouted("hermes.api", "/client/{client_id}", by)


BREAK = Break("hermes", "cold_start", r"among the sessions of its client at \S+", apply)
