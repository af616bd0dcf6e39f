"""One ECS Exec session on its data channel: the agent's side of the protocol."""

from __future__ import annotations

import asyncio
import codecs
import json
from collections.abc import Awaitable, Callable, Iterator
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
"""Seconds the agent waits for its last output to be acknowledged (amazon-ssm-agent)."""
_AGENT_CAPACITY = 100_000


class AgentSession:
    """Relays a terminal to a data channel until either ends.

    The wire's own timers (retransmission, handshake, drain) are real seconds: the peer's are too.
    """

    def __init__(
        self,
        session_id: str,
        socket: web.WebSocketResponse,
        clock: Clock,
        ids: Ids,
        handshake: Handshake | None = None,
    ) -> None:
        """With a `handshake`, nothing is started before the client has agreed to it."""
        self._session_id = session_id
        self._socket = socket
        self._clock = clock
        self._ids = ids
        self._handshake = handshake
        self._incoming = Incoming(_AGENT_CAPACITY)
        self._outgoing = Outgoing(self._stream_message)
        self._acknowledged = asyncio.Event()
        self._agreed: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._terminal: Terminal | None = None

    async def run(self, start: Callable[[], Awaitable[Terminal]]) -> None:
        """Start the command and return when the session is over; the terminal is closed, the channel told."""
        beside = [asyncio.create_task(self._resend_lost())]
        try:
            if self._handshake is not None:
                listen = asyncio.create_task(self._listen())
                beside.append(listen)
                if not await self._agree(self._handshake, listen):
                    return
            try:
                self._terminal = await start()
            except OSError as error:
                await self.close(_failed(f"Unable to start command: Failed to start pty: {error}"))
                return
            if self._handshake is None:  # what was typed meanwhile waits in the socket
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
            finally:  # the client may hang up just now, which cancels this
                if self._terminal is not None:
                    await self._terminal.close()

    async def _agree(self, handshake: Handshake, listen: asyncio.Task[None]) -> bool:
        """Whether the client agreed to the handshake; if not, the channel is told why and closed."""
        began = _monotonic()
        await self._tell(wire.HANDSHAKE_REQUEST, handshake.request(self._new_id().bytes))
        await asyncio.wait({self._agreed, listen}, timeout=handshake.within, return_when=asyncio.FIRST_COMPLETED)
        if self._agreed.done():
            refused = handshake.refused(self._agreed.result())
        elif listen.done():  # the client hung up
            return False
        else:
            refused = TIMED_OUT
        if refused is not None:
            await self.close(_failed(refused))
            return False
        await self._tell(wire.HANDSHAKE_COMPLETE, handshake.complete(_monotonic() - began))
        return True

    async def _tell(self, payload_type: int, what: Any) -> None:
        payload = json.dumps(what, separators=(",", ":")).encode()
        message = self._outgoing.push(payload_type, payload, _monotonic(), flag_first=True)
        await self._socket.send_bytes(message.encode())

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

    async def _listen(self) -> None:
        async for frame in self._socket:
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
                continue  # as the agent: an unreadable frame is as if it had been lost, and will come again

    async def _input(self, message: Message) -> None:
        terminal = self._terminal
        if terminal is None and message.payload_type != wire.HANDSHAKE_RESPONSE:
            return  # as the agent, which does not acknowledge input before it has a terminal: it will come again
        confirm, ready = self._incoming.receive(message)
        if confirm:
            await self._socket.send_bytes(
                acknowledge(message, id=self._new_id(), created=self._clock.now_ms()).encode()
            )
        for data in ready:
            if data.payload_type == wire.HANDSHAKE_RESPONSE:
                if not self._agreed.done():
                    self._agreed.set_result(data.json())
            elif terminal is not None:
                await _typed(data, terminal)

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


async def _typed(data: Message, terminal: Terminal) -> None:
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
