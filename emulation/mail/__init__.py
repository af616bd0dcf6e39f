"""Mail: an SMTP door, SES receipt rules, sending, and an outbox."""

from emulation.mail.controller import Mail
from emulation.mail.sending.outbox import Outbox, SentMail

__all__ = ["Mail", "Outbox", "SentMail"]
