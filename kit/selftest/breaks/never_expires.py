"""No session ever expires, and so nothing scales to zero."""

from typing import Any

from ..breaking import Break

BREAK = Break("hermes", "cold_start", r"to be expired, within[\s\S]*last seen: SessionRow.*status='(active|draining)'")


@BREAK.replaces("hermes.watch", "Watch._expired")
async def never(*_: Any) -> bool:
    return False
