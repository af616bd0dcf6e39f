"""Hermes does not remember which mails it has dealt with: what comes twice is done twice."""

from __future__ import annotations

from typing import Any

from ..breaking import Break, part, wrap


def apply() -> None:
    entry = part("hermes.inbox").Entry

    def by(claim: Any) -> Any:
        async def always_new(self: Any, key: str, thread_id: str) -> Any:
            await claim(self, key, thread_id)
            return entry(key, "received")

        return always_new

    wrap(part("hermes.inbox").Inbox, "claim", by)


BREAK = Break("hermes", "redelivery", r"what \S+ got replies to|one reply", apply)
