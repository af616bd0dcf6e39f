"""However many sessions are open, the metric says one: scaling never gives them more than one container."""

from typing import Any

from ..breaking import Break

BREAK = Break("hermes", "concurrency", r"service edit to be scaled to 3 running task\(s\)")


@BREAK.replaces("hermes.watch", "Watch._publish")
async def at_most_one(publish: Any, watch: Any, counts: dict[str, int]) -> Any:
    return await publish(watch, {name: min(count, 1) for name, count in counts.items()})
