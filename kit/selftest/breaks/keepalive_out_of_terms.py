"""A keepalive is answered in other terms than agreed: its `ttl` is text."""

from __future__ import annotations

import json
from typing import Any

from ..breaking import Break, rerouted


def apply() -> None:
    def by(handler: Any) -> Any:
        async def as_text(request: Any) -> Any:
            answer = await handler(request)
            told = json.loads(answer.text)
            answer.text = json.dumps(told | {"ttl": str(told["ttl"])})
            return answer

        return as_text

    rerouted("hermes.api", "/keepalive", by)


BREAK = Break("hermes", "persistence", r"/keepalive[\s\S]*ttl", apply)
