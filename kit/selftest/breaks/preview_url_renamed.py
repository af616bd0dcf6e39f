"""A field of an answer has another name than its readers look for."""

import json
from typing import Any

from ..breaking import Break

BREAK = Break("hermes", "cold_start", r"POST \S+/activate:\n  previewUrl is missing; there is 'previewURL'")


@BREAK.reroutes("hermes.api", "/activate")
async def renamed(handler: Any, request: Any) -> Any:
    answer = await handler(request)
    fields = json.loads(answer.body)
    fields["previewURL"] = fields.pop("previewUrl")
    answer.body = json.dumps(fields).encode()
    return answer
