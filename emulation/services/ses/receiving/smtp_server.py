"""An SMTP server on 127.0.0.1 in place of SES's inbound endpoint."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from ....core.addressing import LOOPBACK, cannot_listen
from .received import Arrival
from .reception import Reception, unreadable

SIZE = 40 * 1024 * 1024
"""Maximum bytes of a mail SES receives. Source: SES quotas."""
_TOO_LARGE = f"552 5.3.4 Message too big: SES takes at most {SIZE} bytes (40 MB), headers included"
_NULL_SENDER = "<>"


class SmtpServer:
    """`open` once, `close` once."""

    def __init__(self, reception: Reception, *, region: str, port: int, certificate: Callable[[], ssl.SSLContext]):
        self._handler = _Handler(reception)
        self._reception = reception
        self._hostname = f"inbound-smtp.{region}.amazonaws.com"
        self._port = port
        self._certificate = certificate
        self._server: asyncio.Server | None = None
        self._sessions: set[_Session] = set()

    @property
    def address(self) -> str:
        """host:port, once open."""
        return f"127.0.0.1:{self._port}"

    async def open(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(self._session, LOOPBACK, self._port)
        except OSError as error:
            raise cannot_listen("the SMTP server", self.address, "smtp_port", error) from error
        self._port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and abort every session."""
        if self._server is None:
            return
        self._server.close()
        for session in list(self._sessions):
            session.abort()
        await self._server.wait_closed()

    def _session(self) -> _Session:
        # STARTTLS is offered only when a receipt rule requires it: a client that upgrades whenever possible would fail
        # on a certificate it has no reason to trust.
        return _Session(
            self._sessions,
            self._handler,
            data_size_limit=SIZE,
            enable_SMTPUTF8=True,
            hostname=self._hostname,
            ident="ESMTP SimpleEmailService, emulated",
            tls_context=self._certificate() if self._reception.tls_wanted() else None,
            loop=asyncio.get_running_loop(),
        )


class _Session(SMTP):  # type: ignore[misc] # aiosmtpd is untyped here
    """One SMTP session, registered with the server so that it can be aborted."""

    def __init__(self, sessions: set[_Session], *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._sessions = sessions

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._sessions.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._sessions.discard(self)
        super().connection_lost(error)

    def abort(self) -> None:
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()

    async def push(self, status: str | bytes) -> None:
        await super().push(_TOO_LARGE if isinstance(status, str) and status.startswith("552") else status)


class _Handler:
    """aiosmtpd's hooks."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._log = logging.getLogger("emulation.ses")

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", "250-ENHANCEDSTATUSCODES", responses[-1]]

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address != _NULL_SENDER and not _is_text(address):
            return "553 5.1.7 The sender's address is not UTF-8"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Ok"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not _is_text(address):
            return "553 5.1.3 The recipient's address is not UTF-8"
        refusal = self._reception.refusal(address, encrypted=session.ssl is not None)
        if refusal is not None:
            self._log.warning("the SMTP server refused a mail: %s", refusal)
            return refusal
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = bytes(envelope.content or b"")
        reason = unreadable(content)
        if reason is not None:
            self._log.warning("the SMTP server refused a mail: %s", reason)
            return reason
        sender = envelope.mail_from or ""
        arrival = Arrival(
            sender="" if sender == _NULL_SENDER else sender,
            recipients=tuple(envelope.rcpt_tos),
            content=content,
            greeting=session.host_name or "",
            client=session.peer[0] if session.peer else "127.0.0.1",
            encrypted=session.ssl is not None,
        )
        return f"250 2.0.0 OK {self._reception.take(arrival)}"

    async def handle_exception(self, error: Exception) -> str:
        self._log.exception("an SMTP session failed")
        return f"451 4.3.0 The emulated cloud failed: {type(error).__name__}. This is its defect; try again"


def _is_text(address: str) -> bool:
    """Whether an address is UTF-8: aiosmtpd represents other bytes as lone surrogates."""
    return not any("\ud800" <= char <= "\udfff" for char in address)
