"""A field of an answer has another name than its readers look for."""

from __future__ import annotations

import json
from typing import Any

from ..breaking import Break, rerouted


def apply() -> None:
    def by(handler: Any) -> Any:
        async def renamed(request: Any) -> Any:
            answer = await handler(request)
            fields = json.loads(answer.body)
            fields["previewURL"] = fields.pop("previewUrl")
            answer.body = json.dumps(fields).encode()
            return answer

        return renamed

    rerouted("hermes.api", "/activate", by)


BREAK = Break("hermes", "cold_start", r"POST \S+/activate:\n  previewUrl is missing; there is 'previewURL'", apply)
