"""The reply does not say which mail it answers: mail programs show it beside its thread."""

from __future__ import annotations

import email
import email.policy
from typing import Any

from ..breaking import Break, part, wrap


def apply() -> None:
    def by(composed: Any) -> Any:
        def stripped(*args: Any) -> bytes:
            message = email.message_from_bytes(composed(*args), policy=email.policy.SMTP)
            del message["In-Reply-To"], message["References"]
            return message.as_bytes()

        return stripped

    wrap(part("hermes.replies"), "composed", by)


BREAK = Break("hermes", "email_to_preview", r"ReplyMail is broken[\s\S]*In-Reply-To is missing", apply)
