"""A mail that is delivered again after its reply is answered again."""

from typing import Any

from ..breaking import MIXES, Break, part

BREAK = Break("hermes", MIXES, r"exactly_once: .* got \d+ replies")


@BREAK.replaces("hermes.inbox", "Inbox.claim")
async def forgetful(claim: Any, inbox: Any, key: str, thread_id: str) -> Any:
    entry = await claim(inbox, key, thread_id)
    return part("hermes.inbox").Entry(key, "worked", entry.outcome, entry.session_id) if entry.outcome else entry
