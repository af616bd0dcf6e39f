"""The thread of a mail is not found: each mail opens another session."""

from dataclasses import replace
from typing import Any

from ..breaking import Break, part

BREAK = Break("hermes", "mail_thread", r"the conversation id of the reply to be '(\S+)'\nseen: '(?!\1')")


@BREAK.replaces("hermes.mail_handler", "MailHandler._addressed")
async def alone(addressed: Any, *args: Any) -> Any:
    found = await addressed(*args)
    return replace(found, thread_id=part("ids").derived("thread", found.key))
