"""No session ever expires, and so nothing scales to zero."""

from __future__ import annotations

from typing import Any

from ..breaking import Break, part


def apply() -> None:
    watch = part("hermes.watch").Watch
    _ = watch._expired

    async def never(_self: Any, _session: Any) -> bool:
        return False

    watch._expired = never


BREAK = Break(
    "hermes", "cold_start", r"to be expired, within[\s\S]*last seen: SessionRow.*status='(active|draining)'", apply
)
