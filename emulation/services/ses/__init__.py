"""Mail: an SMTP door, SES receipt rules, sending, and an outbox."""

from .controller import Mail
from .sending.outbox import Outbox, SentMail

__all__ = ["Mail", "Outbox", "SentMail"]
