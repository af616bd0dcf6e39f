"""The lines that separate the parts of a multipart mail."""

from __future__ import annotations

from email.message import EmailMessage

from ...core.ids import Ids


def set_boundaries(message: EmailMessage, ids: Ids) -> None:
    """Give every multipart its boundary; left to itself the standard library would draw them at random."""
    for part in message.walk():
        if part.is_multipart() and part.get_content_maintype() == "multipart":
            part.set_boundary(f"----=_Part_{ids.hex(24)}")
