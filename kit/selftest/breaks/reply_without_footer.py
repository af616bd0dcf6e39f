"""The reply lacks its Conversation ID: an answer from a header-stripping client starts a new thread."""

from typing import Any

from ..breaking import Break

BREAK = Break("hermes", "email_to_preview", r"ReplyMail is broken[\s\S]*the footer 'Conversation ID")


@BREAK.replaces("hermes.replies", "_footer")
def nothing(*_: Any) -> str:
    return ""
