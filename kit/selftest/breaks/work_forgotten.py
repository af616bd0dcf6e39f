"""Hermes forgets which mails it has dealt with: what comes twice is done twice."""

from typing import Any

from ..breaking import Break, part

BREAK = Break("hermes", "redelivery", r"what \S+ got replies to|one reply", mixes=r"exactly_once: .* got \d+ replies")


@BREAK.replaces("hermes.inbox", "Inbox.claim")
async def always_new(claim: Any, inbox: Any, key: str, thread_id: str) -> Any:
    await claim(inbox, key, thread_id)
    return part("hermes.inbox").Entry(key, "received")
