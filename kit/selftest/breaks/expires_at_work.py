"""A session expires although an instruction is being carried out in it."""

from typing import Any

from ..breaking import MIXES, Break

BREAK = Break("hermes", MIXES, r"legal_life: session \S+ expired while .* was being carried out in it")


@BREAK.replaces("hermes.watch", "Watch._expired")
async def busy_or_not(expired: Any, watch: Any, session: Any) -> Any:
    in_flight, watch._in_flight = watch._in_flight, _Idle()
    try:
        return await expired(watch, session)
    finally:
        watch._in_flight = in_flight


class _Idle:
    def sessions(self) -> set[str]:
        return set()
