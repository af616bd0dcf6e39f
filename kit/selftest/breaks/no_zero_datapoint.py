"""The count of active sessions is published only while there are some: the zero is missing."""

from typing import Any

from ..breaking import Break

BREAK = Break("hermes", "cold_start", r"the newest datapoint of ActiveSessionCount to be there and to be 0")


@BREAK.replaces("hermes.watch", "Watch._publish")
async def without_zero(publish: Any, watch: Any, counts: dict[str, int]) -> None:
    await publish(watch, {name: count for name, count in counts.items() if count or name != "ActiveSessionCount"})
