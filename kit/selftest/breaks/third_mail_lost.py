"""The third mail of a thread cannot be processed: it ends in the dead-letter queue."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ..breaking import Break, part, wrap


def apply() -> None:
    malformed = part("hermes.envelope").Malformed
    mails: Counter[str] = Counter()
    lost: set[str] = set()

    def by(addressed: Any) -> Any:
        async def failing(self: Any, mail: Any, delivery: Any) -> Any:
            found = await addressed(self, mail, delivery)
            mails[found.thread_id] += 1
            if mails[found.thread_id] == 3 or found.key in lost:
                lost.add(found.key)
                raise malformed("the thread has two mails already")
            return found

        return failing

    wrap(part("hermes.mail_handler").Mailroom, "_addressed", by)


BREAK = Break("hermes", "mail_thread", r"Hermes to receive <\S+|a reply to <\S+ at ", apply, step=r"^3 a third mail")
