"""The reply is written and never sent."""

from typing import Any

from ..breaking import Break

BREAK = Break("hermes", "email_to_preview", r"a reply to <\S+ at ", mixes=r"liveness: .* was not answered")


@BREAK.replaces("hermes.replies", "Replies.send")
async def lose(*_: Any) -> str:
    return "lost"
