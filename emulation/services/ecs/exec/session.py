"""The agent's side of one ECS Exec session."""

from __future__ import annotations

import asyncio
import codecs
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from aiohttp import WSMsgType, web

from .....datachannel import Incoming, Message, MessageError, Outgoing, acknowledge, acknowledged_sequence
from .....datachannel import message as wire
from .....datachannel.stream import CHECK_INTERVAL
from ....core.ids import Ids
from ....time.clock import Clock
from .handshake import TIMED_OUT, Handshake
from .terminal import Terminal

_DRAIN = 2.0
"""Seconds for which the agent waits for the acknowledgement of its last output (amazon-ssm-agent)."""
_AGENT_CAPACITY = 100_000


@dataclass(eq=False)
class AgentSession:
    """Relays a terminal to a data channel until either ends.

    The protocol's timers (retransmission, handshake, drain) are wall seconds, like those of the client.
    """

    session_id: str
    socket: web.WebSocketResponse
    clock: Clock
    ids: Ids
    handshake: Handshake | None = None
    """The command starts only after the client has accepted it."""
    _terminal: Terminal | None = None
    _acknowledged: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._incoming = Incoming(_AGENT_CAPACITY)
        self._outgoing = Outgoing(self._stream_message)
        self._response: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def run(self, start: Callable[[], Awaitable[Terminal]]) -> None:
        """Run the command until the session ends, then close the terminal and the channel."""
        beside = [asyncio.create_task(self._resend_lost())]
        try:
            if self.handshake is not None:
                listen = asyncio.create_task(self._listen())
                beside.append(listen)
                if not await self._shake_hands(self.handshake, listen):
                    return
            try:
                self._terminal = await start()
            except OSError as error:
                await self.close(_failed(f"Unable to start command: Failed to start pty: {error}"))
                return
            if self.handshake is None:  # earlier input waits in the socket
                listen = asyncio.create_task(self._listen())
                beside.append(listen)
            relay = asyncio.create_task(self._relay(self._terminal))
            beside.append(relay)
            await asyncio.wait({relay, listen}, return_when=asyncio.FIRST_COMPLETED)
            if relay.done():
                relay.result()
                await self._drain()
                await self.close()
        finally:
            for task in beside:
                task.cancel()
            try:
                await asyncio.gather(*beside, return_exceptions=True)
            finally:  # a client that hangs up now cancels this
                if self._terminal is not None:
                    await self._terminal.close()

    async def _shake_hands(self, handshake: Handshake, listen: asyncio.Task[None]) -> bool:
        """Whether the client accepted the handshake; otherwise the channel is closed with the reason."""
        began = _monotonic()
        await self._send(wire.HANDSHAKE_REQUEST, handshake.request(self._new_id().bytes))
        await asyncio.wait({self._response, listen}, timeout=handshake.within, return_when=asyncio.FIRST_COMPLETED)
        if self._response.done():
            error = handshake.error(self._response.result())
        elif listen.done():  # the client hung up
            return False
        else:
            error = TIMED_OUT
        if error is not None:
            await self.close(_failed(error))
            return False
        await self._send(wire.HANDSHAKE_COMPLETE, handshake.complete(_monotonic() - began))
        return True

    async def _send(self, payload_type: int, content: Any) -> None:
        payload = json.dumps(content, separators=(",", ":")).encode()
        message = self._outgoing.push(payload_type, payload, _monotonic(), flag_first=True)
        await self.socket.send_bytes(message.encode())

    async def close(self, output: str = "") -> None:
        """Send ChannelClosed; `output` is the reason if the session never started."""
        payload = {
            "MessageId": self.ids.uuid(),
            "CreatedDate": self.clock.utcnow().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "DestinationId": self.session_id,
            "SessionId": self.session_id,
            "MessageType": wire.CHANNEL_CLOSED,
            "SchemaVersion": 1,
            "Output": output,
        }
        closed = Message(wire.CHANNEL_CLOSED, 0, json.dumps(payload).encode(), self._new_id(), self.clock.now_ms())
        await self.socket.send_bytes(closed.encode())
        await self.socket.close()

    async def _relay(self, terminal: Terminal) -> None:
        while data := await terminal.read():
            for chunk in chunks(data):
                message = self._outgoing.push(wire.BYTES, chunk, _monotonic(), flag_first=True)
                await self.socket.send_bytes(message.encode())

    async def _listen(self) -> None:
        async for frame in self.socket:
            if frame.type is not WSMsgType.BINARY:
                continue
            try:
                message = Message.decode(frame.data)
                if message.type == wire.ACKNOWLEDGE:
                    self._outgoing.acknowledge(acknowledged_sequence(message), _monotonic())
                    self._acknowledged.set()
                elif message.type == wire.INPUT:
                    await self._input(message)
            except MessageError:
                continue  # like the agent: an unreadable frame counts as lost and is sent again

    async def _input(self, message: Message) -> None:
        terminal = self._terminal
        if terminal is None and message.payload_type != wire.HANDSHAKE_RESPONSE:
            return  # like the agent, which acknowledges no input before it has a terminal: it is sent again
        confirm, ready = self._incoming.receive(message)
        if confirm:
            await self.socket.send_bytes(acknowledge(message, id=self._new_id(), created=self.clock.now_ms()).encode())
        for data in ready:
            if data.payload_type == wire.HANDSHAKE_RESPONSE:
                if not self._response.done():
                    self._response.set_result(data.json())
            elif terminal is not None:
                await _handle_input(data, terminal)

    async def _resend_lost(self) -> None:
        while True:
            await asyncio.sleep(CHECK_INTERVAL)
            if (message := self._outgoing.due(_monotonic())) is not None:
                await self.socket.send_bytes(message.encode())

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(_DRAIN):
                while not self._outgoing.drained:
                    self._acknowledged.clear()
                    await self._acknowledged.wait()
        except TimeoutError:
            pass  # like the agent, which then reports the end of the session

    def _stream_message(self, sequence: int, flags: int, payload_type: int, payload: bytes) -> Message:
        return Message(wire.OUTPUT, sequence, payload, self._new_id(), self.clock.now_ms(), payload_type, flags)

    def _new_id(self) -> UUID:
        return UUID(self.ids.uuid())


async def _handle_input(data: Message, terminal: Terminal) -> None:
    if data.payload_type == wire.BYTES:
        terminal.write(data.payload)
    elif data.payload_type == wire.SIZE:
        size = data.json()
        terminal.resize(int(size["cols"]), int(size["rows"]))
    elif data.payload_type == wire.FLAG and data.payload == wire.TERMINATE_SESSION:
        await terminal.close()


def _failed(why: str) -> str:
    return f"----------ERROR-------\n{why}\n"


def chunks(data: bytes) -> Iterator[bytes]:
    """Split into at most 1024 bytes each, never inside a valid UTF-8 character."""
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
