"""Mails as clients write them and as SQS holds them."""

from __future__ import annotations

import json
from email.message import EmailMessage
from typing import Any

ANN = "ann@clients.example.org"
EDIT = "edit@it.example.com"


def message(text: str, html: str | None = None, **headers: str) -> bytes:
    """A mail as a client writes it; header names with `_` for `-`, an empty value leaves the header out."""
    made = EmailMessage()
    defaults = {"From": f"Ann <{ANN}>", "To": EDIT, "Subject": "The site", "Message_ID": "<first@clients.example.org>"}
    for name, value in {**defaults, **headers}.items():
        if value:
            made[name.replace("_", "-")] = value
    made.set_content(text)
    if html is not None:
        made.add_alternative(html, subtype="html")
    return made.as_bytes()


def notification(raw: bytes, **more: Any) -> str:
    """What SQS holds of a mail: the SNS envelope around SES's notification."""
    inner = {
        "notificationType": "Received",
        "mail": {"source": ANN, "messageId": "ses-1", "destination": [EDIT]},
        "receipt": {"recipients": [EDIT], "action": {"type": "SNS", "encoding": "UTF8"}},
        "content": raw.decode("utf-8", "surrogateescape"),
        **more,
    }
    return json.dumps({"Type": "Notification", "Message": json.dumps(inner)})
