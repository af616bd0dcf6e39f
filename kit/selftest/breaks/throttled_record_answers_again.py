"""A reply whose record DynamoDB throttles is sent again when the mail is delivered again."""

from typing import Any

from ..breaking import Break, part

BREAK = Break("hermes", "recovery", r"more than one reply to <\S+ of \S+", mixes=r"exactly_once: .* got \d+ replies")

_tried: set[str] = set()


@BREAK.replaces("hermes.inbox", "Inbox.replied")
async def throttled_once(replied: Any, inbox: Any, key: str, reply_id: str) -> Any:
    if key not in _tried:
        _tried.add(key)
        raise part("aws_errors").Unavailable("update_item", "ThrottlingException", "the record of a reply is refused")
    return await replied(inbox, key, reply_id)
