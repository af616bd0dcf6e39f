"""Nobody publishes the zero: the count of active sessions is told only while there are some."""

from __future__ import annotations

from typing import Any

from ..breaking import Break, part, wrap


def apply() -> None:
    def by(publish: Any) -> Any:
        async def without_zero(self: Any, counts: dict[str, int]) -> None:
            await publish(self, {n: v for n, v in counts.items() if v or n != "ActiveSessionCount"})

        return without_zero

    wrap(part("hermes.watch").Watch, "_publish", by)


BREAK = Break("hermes", "cold_start", r"the newest datapoint of ActiveSessionCount to be there and to be 0", apply)
