"""Delivers mail to the emulated cloud by SMTP."""

from __future__ import annotations

import smtplib
from dataclasses import dataclass

from ...core.threads import BlockingPool
from ..interface import MailRefused


@dataclass(frozen=True)
class SmtpTransport:
    """Delivers over SMTP to a host and port, one connection a mail."""

    host: str
    port: int
    threads: BlockingPool

    async def send(self, message: bytes, sender: str, recipients: list[str]) -> None:
        """As `MailTransport.send`; a mail is accepted once the server has answered 250 to its data."""
        await self.threads.run(self._blocking, message, sender, recipients)

    async def again(self, message: bytes, sender: str, recipients: list[str], message_id: str) -> None:
        """As `MailTransport.again`: by SMTP a mail keeps its Message-ID."""
        await self.send(message, sender, recipients)

    def _blocking(self, message: bytes, sender: str, recipients: list[str]) -> None:
        with smtplib.SMTP(self.host, self.port, local_hostname="localhost", timeout=30) as connection:
            try:
                refused = connection.sendmail(sender, recipients, message)
            except smtplib.SMTPRecipientsRefused as error:
                raise _first(error.recipients) from None
            except smtplib.SMTPResponseException as error:
                if error.smtp_code < 500:
                    raise
                raise MailRefused(error.smtp_code, _text(error.smtp_error)) from None
        if refused:
            raise _first(refused)


def _first(refused: dict[str, tuple[int, bytes]]) -> MailRefused:
    address, (code, text) = next(iter(refused.items()))
    answer = _text(text)
    return MailRefused(code, answer if address in answer else f"<{address}>: {answer}")


def _text(answer: bytes | str) -> str:
    return answer if isinstance(answer, str) else answer.decode("utf-8", "replace")
