"""The answer to a keepalive breaks its contract: its `ttl` is text."""

import json
from typing import Any

from ..breaking import Break

BREAK = Break("hermes", "persistence", r"/keepalive[\s\S]*ttl")


@BREAK.reroutes("hermes.api", "/keepalive")
async def ttl_as_text(handler: Any, request: Any) -> Any:
    answer = await handler(request)
    fields = json.loads(answer.text)
    answer.text = json.dumps(fields | {"ttl": str(fields["ttl"])})
    return answer
