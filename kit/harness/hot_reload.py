"""Hot-reload sockets: the WebSocket that a browser opens through the load balancer, and its messages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from ..core.eventually import NotYet
from ..system.contract import ContractBroken, check_hot_reload
from ..system.facts import HOT_RELOAD_PROTOCOL
from .background import background
from .context import Context
from .sessions import TestSession

_OPEN_WITHIN = 20.0
"""Wall seconds for the upgrade."""
_RELOADS = ("update", "full-reload")


@dataclass
class Socket:
    """An open hot-reload socket."""

    context: Context
    url: str
    protocol: str | None
    """The negotiated subprotocol."""
    messages: list[dict[str, Any]] = field(default_factory=list)
    """The messages so far, oldest first."""
    breach: ContractBroken | None = None
    """The first message that breaks Vite's protocol; reading stops there."""

    def received(self) -> list[dict[str, Any]]:
        """The messages so far. Raises `ContractBroken`."""
        if self.breach is not None:
            raise self.breach
        return self.messages

    async def wait_for_reload(self, *, within: float) -> Mapping[str, Any]:
        """Wait for a message that makes a browser reload something; `within` AWS seconds."""
        __tracebackhide__ = True

        async def look() -> dict[str, Any]:
            found = next((message for message in self.received() if message.get("type") in _RELOADS), None)
            if found is None:
                raise NotYet(self.messages)
            return found

        return await self.context.eventually(look, within=within, describe=f"a hot-reload message on {self.url}")

    async def wait_until_connected(self, *, within: float) -> None:
        """Wait for Vite's greeting."""
        __tracebackhide__ = True

        async def look() -> list[dict[str, Any]]:
            return self.received()

        await self.context.eventually(
            look,
            until=lambda messages: {"type": "connected"} in messages,
            within=within,
            describe=f"{{'type': 'connected'}} on {self.url}",
        )


class HotReload:
    """Opens hot-reload sockets."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @asynccontextmanager
    async def open(self, session: TestSession) -> AsyncIterator[Socket]:
        """A socket for a session's changes, open inside the block. Raises the upgrade's error."""
        from websockets import Subprotocol  # noqa: PLC0415 - heavy: only where a socket is opened
        from websockets.asyncio.client import connect  # noqa: PLC0415

        url = self._context.system.hot_reload_url(session.session_id)
        with self._context.history.operation("open_socket", session=session.session_id) as operation:
            connection = await connect(
                url,
                subprotocols=[Subprotocol(HOT_RELOAD_PROTOCOL)],
                proxy=None,
                open_timeout=_OPEN_WITHIN,
                ping_interval=None,
            )
            operation.ok(protocol=connection.subprotocol)
        socket = Socket(self._context, url, connection.subprotocol)

        async def listen() -> None:
            try:
                async for text in connection:
                    socket.messages.append(check_hot_reload(str(text), url))
            except ContractBroken as breach:
                socket.breach = breach

        async with connection, background(listen(), f"listening on {url}"):
            yield socket
            socket.received()

    async def refusal(self, session: TestSession) -> int:
        """The HTTP status that refuses an upgrade. Raises AssertionError when the upgrade succeeds."""
        from websockets.exceptions import InvalidStatus  # noqa: PLC0415 - heavy: only where a socket is opened

        try:
            async with self.open(session):
                raise AssertionError(f"expected the upgrade of {session} to be refused, it was accepted")
        except InvalidStatus as refused:
            return int(refused.response.status_code)
