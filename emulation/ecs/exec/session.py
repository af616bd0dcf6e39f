"""One ECS Exec session on its data channel: the agent's side of the protocol."""

from __future__ import annotations

import asyncio
import codecs
import json
from collections.abc import Iterator
from uuid import UUID

from aiohttp import WSMsgType, web

from datachannel import Incoming, Message, MessageError, Outgoing, acknowledge, acknowledged_sequence
from datachannel import message as wire
from datachannel.stream import CHECK_INTERVAL
from emulation.clock import Clock
from emulation.ecs.exec.terminal import Terminal
from emulation.ids import Ids

_DRAIN = 2.0
"""Seconds the agent waits for its last output to be acknowledged (amazon-ssm-agent)."""
_AGENT_CAPACITY = 100_000


class AgentSession:
    """Relays a terminal to a data channel until either ends.

    The wire's own timers (retransmission, drain) are real seconds: the peer's are too.
    """

    def __init__(self, session_id: str, socket: web.WebSocketResponse, clock: Clock, ids: Ids) -> None:
        self._session_id = session_id
        self._socket = socket
        self._clock = clock
        self._ids = ids
        self._incoming = Incoming(_AGENT_CAPACITY)
        self._outgoing = Outgoing(self._stream_message)
        self._acknowledged = asyncio.Event()

    async def run(self, terminal: Terminal) -> None:
        """Returns when the session is over; the terminal is closed, the channel told."""
        relay = asyncio.create_task(self._relay(terminal))
        resend = asyncio.create_task(self._resend_lost())
        listen = asyncio.create_task(self._listen(terminal))
        try:
            await asyncio.wait({relay, listen}, return_when=asyncio.FIRST_COMPLETED)
            if relay.done():
                relay.result()
                await self._drain()
                await self.close()
        finally:
            for task in (relay, resend, listen):
                task.cancel()
            try:
                await asyncio.gather(relay, resend, listen, return_exceptions=True)
            finally:  # the client may hang up just now, which cancels this
                await terminal.close()

    async def close(self, output: str = "") -> None:
        """Say that the session is over; `output` carries the reason when it never began."""
        payload = {
            "MessageId": self._ids.uuid(),
            "CreatedDate": self._clock.utcnow().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "DestinationId": self._session_id,
            "SessionId": self._session_id,
            "MessageType": wire.CHANNEL_CLOSED,
            "SchemaVersion": 1,
            "Output": output,
        }
        closed = Message(wire.CHANNEL_CLOSED, 0, json.dumps(payload).encode(), self._new_id(), self._clock.now_ms())
        await self._socket.send_bytes(closed.encode())
        await self._socket.close()

    async def _relay(self, terminal: Terminal) -> None:
        while data := await terminal.read():
            for chunk in chunks(data):
                message = self._outgoing.push(wire.BYTES, chunk, _monotonic(), flag_first=True)
                await self._socket.send_bytes(message.encode())

    async def _listen(self, terminal: Terminal) -> None:
        async for frame in self._socket:
            if frame.type is not WSMsgType.BINARY:
                continue
            try:
                message = Message.decode(frame.data)
                if message.type == wire.ACKNOWLEDGE:
                    self._outgoing.acknowledge(acknowledged_sequence(message), _monotonic())
                    self._acknowledged.set()
                elif message.type == wire.INPUT:
                    await self._input(message, terminal)
            except MessageError:
                continue  # as the agent: an unreadable frame is as if it had been lost, and will come again

    async def _input(self, message: Message, terminal: Terminal) -> None:
        confirm, ready = self._incoming.receive(message)
        if confirm:
            await self._socket.send_bytes(
                acknowledge(message, id=self._new_id(), created=self._clock.now_ms()).encode()
            )
        for data in ready:
            if data.payload_type == wire.BYTES:
                terminal.write(data.payload)
            elif data.payload_type == wire.SIZE:
                size = data.json()
                terminal.resize(int(size["cols"]), int(size["rows"]))
            elif data.payload_type == wire.FLAG and data.payload == wire.TERMINATE_SESSION:
                await terminal.close()

    async def _resend_lost(self) -> None:
        while True:
            await asyncio.sleep(CHECK_INTERVAL)
            if (message := self._outgoing.due(_monotonic())) is not None:
                await self._socket.send_bytes(message.encode())

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(_DRAIN):
                while not self._outgoing.drained:
                    self._acknowledged.clear()
                    await self._acknowledged.wait()
        except TimeoutError:
            pass  # the agent too gives up here and reports the session's end

    def _stream_message(self, sequence: int, flags: int, payload_type: int, payload: bytes) -> Message:
        return Message(wire.OUTPUT, sequence, payload, self._new_id(), self._clock.now_ms(), payload_type, flags)

    def _new_id(self) -> UUID:
        return UUID(self._ids.uuid())


def chunks(data: bytes) -> Iterator[bytes]:
    """At most 1024 bytes each, never cut inside a UTF-8 character (invalid bytes are cut anywhere)."""
    while data:
        piece = data[: wire.CHUNK]
        if len(data) > wire.CHUNK:
            decoder = codecs.getincrementaldecoder("utf-8")("replace")
            decoder.decode(piece)
            unfinished = len(decoder.getstate()[0])
            piece = piece[: len(piece) - unfinished] or piece
        yield piece
        data = data[len(piece) :]


def _monotonic() -> float:
    return asyncio.get_running_loop().time()
