"""Relays bytes both ways on a connection that the target has upgraded.

    client transport <--> Relay . Relay <--> target transport

Frames are not parsed, so subprotocols, compression, pings and close codes pass unchanged.
"""

from __future__ import annotations

import asyncio

from ...time.clock import Clock
from .idle import IdleTimer


class Tunnel:
    """Two relays and the idle timer over both."""

    def __init__(self, clock: Clock, idle_timeout: float) -> None:
        """`idle_timeout` in AWS seconds without a byte in either direction."""
        self._idle = IdleTimer(clock, idle_timeout, self.close)
        self.passed = self._idle.passed
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when both sides are closed."""
        self.client = Relay(self)
        self.target = Relay(self)
        self.client.peer, self.target.peer = self.target, self.client

    def open(self, client: asyncio.Transport, target: asyncio.Transport) -> None:
        """Take over both transports from the protocols that did the handshake."""
        self.client.take_over(client)
        self.target.take_over(target)
        self._idle.start()

    def close(self) -> None:
        """Abort both sides; buffered data is lost."""
        self.client.abort()
        self.target.abort()

    def lost(self) -> None:
        if self.client.open or self.target.open:
            return
        self._idle.stop()
        if not self.closed.done():
            self.closed.set_result(None)


class Relay(asyncio.Protocol):
    """One end: forwards what it receives to its peer, with backpressure.

    Before `take_over` it acts as an aiohttp parser, to keep the bytes that follow the handshake.
    """

    peer: Relay

    def __init__(self, tunnel: Tunnel) -> None:
        self._tunnel = tunnel
        self._transport: asyncio.Transport | None = None
        self._predecessor: asyncio.BaseProtocol | None = None
        self._early = bytearray()
        self.received = 0

    @property
    def open(self) -> bool:
        return self._transport is not None

    def take_over(self, transport: asyncio.Transport) -> None:
        self._predecessor = transport.get_protocol()
        self._transport = transport
        transport.set_protocol(self)
        if self.peer._early:
            transport.write(bytes(self.peer._early))
            self.peer._early.clear()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # aiohttp's parser interface, used only between handshake and takeover

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self.data_received(data)
        return False, b""

    def feed_eof(self) -> None:
        return None

    # asyncio's protocol interface

    def data_received(self, data: bytes) -> None:
        self._tunnel.passed()
        self.received += len(data)
        peer = self.peer._transport
        if peer is None:
            self._early += data
        elif not peer.is_closing():
            peer.write(data)

    def pause_writing(self) -> None:
        if self.peer._transport is not None:
            self.peer._transport.pause_reading()

    def resume_writing(self) -> None:
        if self.peer._transport is not None:
            self.peer._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.peer.close()
        if self._predecessor is not None:
            self._predecessor.connection_lost(exc)
        self._tunnel.lost()
