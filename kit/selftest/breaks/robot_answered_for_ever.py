"""Nothing limits the replies in a thread: a robot that answers each of them is answered for ever."""

from typing import Any

from ..breaking import MIXES, Break

BREAK = Break("hermes", MIXES, r"mail_loop: the robot of session \S+ was answered \d+ times")


@BREAK.replaces("hermes.reply_limit", "ReplyLimit.allows")
async def always(*_: Any) -> bool:
    return True
