"""The thread of a mail is not found: each mail opens a session of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..breaking import Break, part, wrap


def apply() -> None:
    derived = part("ids").derived

    def by(addressed: Any) -> Any:
        async def alone(self: Any, mail: Any, delivery: Any) -> Any:
            found = await addressed(self, mail, delivery)
            return replace(found, thread_id=derived("thread", found.key))

        return alone

    wrap(part("hermes.mail_handler").Mailroom, "_addressed", by)


BREAK = Break("hermes", "mail_thread", r"the conversation id of the reply to be '(\S+)'\nseen: '(?!\1')", apply)
