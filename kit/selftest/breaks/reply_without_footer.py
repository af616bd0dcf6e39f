"""The reply lacks its Conversation ID: an answer from a header-stripping client starts a new thread."""

from __future__ import annotations

from typing import Any

from ..breaking import Break, part


def apply() -> None:
    def nothing(_reply: Any) -> str:
        return ""

    _ = part("hermes.replies")._footer
    part("hermes.replies")._footer = nothing


BREAK = Break("hermes", "email_to_preview", r"ReplyMail is broken[\s\S]*the footer 'Conversation ID", apply)
