"""The reply does not say which mail it answers: mail programs show it beside its thread."""

import email
import email.policy
from typing import Any

from ..breaking import Break

BREAK = Break("hermes", "email_to_preview", r"ReplyMail is broken[\s\S]*In-Reply-To is missing")


@BREAK.replaces("hermes.replies", "composed")
def stripped(composed: Any, *args: Any) -> bytes:
    message = email.message_from_bytes(composed(*args), policy=email.policy.SMTP)
    del message["In-Reply-To"], message["References"]
    return message.as_bytes()
