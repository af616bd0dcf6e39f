"""A message that cannot be read is deleted, as if it had been dealt with."""

from typing import Any

from ..breaking import Break, part

BREAK = Break("hermes", "redelivery", r"dead.letter")


@BREAK.replaces("hermes.consumer", "opened")
async def lenient(opened: Any, *args: Any) -> Any:
    try:
        return await opened(*args)
    except part("hermes.envelope").Malformed:
        return None
