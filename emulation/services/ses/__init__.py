"""SES: an SMTP server, receipt rules, sending, and an outbox."""

from .controller import Ses
from .sending.outbox import Outbox, SentMail

__all__ = ["Outbox", "SentMail", "Ses"]
