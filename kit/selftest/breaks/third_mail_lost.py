"""The third mail of a thread cannot be processed: it ends in the dead-letter queue."""

from collections import Counter
from typing import Any

from ..breaking import Break, part

BREAK = Break(
    "hermes",
    "mail_thread",
    r"Hermes to receive <\S+|a reply to <\S+ at ",
    step=r"^3 a third mail",
    mixes=r"(exactly_once|liveness): .*(made no commit|was not answered)",
)

_mails: Counter[str] = Counter()
_lost: set[str] = set()


@BREAK.replaces("hermes.mail_handler", "MailHandler._addressed")
async def failing(addressed: Any, *args: Any) -> Any:
    found = await addressed(*args)
    _mails[found.thread_id] += 1
    if _mails[found.thread_id] == 3 or found.key in _lost:
        _lost.add(found.key)
        raise part("hermes.envelope").Malformed("the thread has two mails already")
    return found
