"""However many sessions are open, the metric says one: scaling never gives them more than one container."""

from __future__ import annotations

from typing import Any

from ..breaking import Break, part, wrap


def apply() -> None:
    def by(publish: Any) -> Any:
        async def at_most_one(self: Any, counts: Any) -> Any:
            return await publish(self, {name: min(count, 1) for name, count in counts.items()})

        return at_most_one

    wrap(part("hermes.watch").Watch, "_publish", by)


BREAK = Break("hermes", "concurrency", r"service edit to be scaled to 3 running task\(s\)", apply)
