"""The client end of an SSM data channel, over a WebSocket.

send, resize, terminate -->  Outgoing  --> socket
output <-- Incoming <-- socket              (every message is acknowledged; lost ones are sent again)
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from ...datachannel import Incoming, Message, MessageError, Outgoing, acknowledge, acknowledged_sequence
from ...datachannel import message as wire
from ...datachannel.stream import CHECK_INTERVAL
from .secrecy import SILENT

CLIENT_VERSION = "1.2.835.0"
"""The session-manager-plugin whose behaviour this client follows."""
_OPEN_TIMEOUT, _CLOSE_TIMEOUT = 20.0, 2.0
_SESSION_TYPE, _KMS = "SessionType", "KMSEncryption"
_SIGNED_ALREADY = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-Security-Token")


class ChannelError(Exception):
    """The channel could not be opened, broke, or uses a feature that this client lacks."""


class EncryptionDemanded(ChannelError):
    """The agent demands encryption, which this client cannot do; a retry does not help."""


def signed_headers(stream_url: str, credentials: Any, region: str) -> dict[str, str]:
    """SigV4 headers for the WebSocket upgrade, service `ssmmessages`; none when the URL is already signed.

    `credentials` is botocore's; None signs nothing, as the plugin does.
    """
    if credentials is None or any(mark in stream_url for mark in _SIGNED_ALREADY):
        return {}
    url = stream_url.replace("wss://", "https://", 1).replace("ws://", "http://", 1)
    request = AWSRequest(method="GET", url=url)
    SigV4Auth(credentials.get_frozen_credentials(), "ssmmessages", region).add_auth(request)
    wanted = ("authorization", "x-amz-date", "x-amz-security-token")
    return {key: value for key, value in request.headers.items() if key.lower() in wanted}


class DataChannel:
    """One open session: ordered bytes out, acknowledged bytes in."""

    def __init__(self, socket: ClientConnection, new_id: Callable[[], UUID]) -> None:
        self._socket = socket
        self._new_id = new_id
        self._incoming = Incoming()
        self._outgoing = Outgoing(self._stream_message)
        self.closed_with: str | None = None
        """The output of `channel_closed`; empty for a normal end, None while the channel is open."""

    async def output(self) -> AsyncIterator[bytes]:
        """The output of the remote terminal, in order, until the session ends.

        Raises `ChannelError` when the connection breaks first.
        """
        try:
            async for frame in self._socket:
                for message in await self._accept(frame):
                    if message.type == wire.CHANNEL_CLOSED:
                        self.closed_with = str(message.json().get("Output") or "")
                        return
                    if message.payload_type in (wire.BYTES, wire.STDERR):
                        yield message.payload
                    elif message.payload_type == wire.HANDSHAKE_REQUEST:
                        await self._answer_handshake(message)
        except ConnectionClosed as error:
            raise ChannelError(f"the data channel broke: {error}") from error
        except MessageError as error:
            raise ChannelError(f"the data channel sent something unreadable: {error}") from error
        raise ChannelError("the data channel was closed without channel_closed")

    async def send(self, data: bytes) -> None:
        """Bytes for the remote terminal's input."""
        for start in range(0, len(data), wire.CHUNK):
            await self._push(wire.BYTES, data[start : start + wire.CHUNK])

    async def resize(self, columns: int, rows: int) -> None:
        await self._push(wire.SIZE, json.dumps({"cols": columns, "rows": rows}, separators=(",", ":")).encode())

    async def terminate(self) -> None:
        """Ask the agent to end the session."""
        await self._push(wire.FLAG, wire.TERMINATE_SESSION)

    async def resend_lost(self) -> None:
        """Resend messages that are not acknowledged in time; runs beside the session."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(CHECK_INTERVAL)
            if (message := self._outgoing.due(loop.time())) is not None:
                try:
                    await self._socket.send(message.encode())
                except ConnectionClosed:
                    return  # the reader or sender gets the error

    async def _accept(self, frame: str | bytes) -> list[Message]:
        message = Message.decode(frame.encode() if isinstance(frame, str) else frame)
        if message.type == wire.ACKNOWLEDGE:
            self._outgoing.acknowledge(acknowledged_sequence(message), asyncio.get_running_loop().time())
            return []
        if message.type == wire.CHANNEL_CLOSED:
            return [message]
        if message.type != wire.OUTPUT:
            return []
        confirm, ready = self._incoming.receive(message)
        if confirm:
            with suppress(ConnectionClosed):  # the message has arrived; the next read reports the break
                await self._socket.send(acknowledge(message, id=self._new_id(), created=_epoch_ms()).encode())
        return ready

    async def _answer_handshake(self, request: Message) -> None:
        try:
            asked = [(str(action["ActionType"]), action) for action in request.json()["RequestedClientActions"]]
        except (KeyError, TypeError) as error:
            raise MessageError(f"a handshake without usable RequestedClientActions: {error!r}") from error
        done = [_done(kind) for kind, _ in asked]
        answer = {"ClientVersion": CLIENT_VERSION, "ProcessedClientActions": done, "Errors": None}
        await self._push(wire.HANDSHAKE_RESPONSE, json.dumps(answer, separators=(",", ":")).encode())
        for kind, action in asked:
            if kind == _KMS:
                key = (action.get("ActionParameters") or {}).get("KMSKeyId")
                raise EncryptionDemanded(
                    f"the agent asks this client to encrypt the session with the KMS key {key}, because the cluster's "
                    "configuration.executeCommandConfiguration.kmsKeyId names it; this client cannot encrypt"
                )

    async def _push(self, payload_type: int, payload: bytes) -> None:
        message = self._outgoing.push(payload_type, payload, asyncio.get_running_loop().time())
        try:
            await self._socket.send(message.encode())
        except ConnectionClosed as error:
            raise ChannelError(f"the data channel broke while sending: {error}") from error

    def _stream_message(self, sequence: int, flags: int, payload_type: int, payload: bytes) -> Message:
        return Message(wire.INPUT, sequence, payload, self._new_id(), _epoch_ms(), payload_type, flags)


@asynccontextmanager
async def open_channel(
    session: Mapping[str, str],
    *,
    credentials: Any = None,
    region: str = "us-east-1",
    new_id: Callable[[], UUID] = uuid4,
) -> AsyncIterator[DataChannel]:
    """Open the channel of an ExecuteCommand (or StartSession) answer: `sessionId`, `streamUrl`, `tokenValue`.

    Raises `ChannelError`. The token is in no message of it.
    """
    url = session["streamUrl"]
    try:
        socket = await connect(
            url,
            additional_headers=signed_headers(url, credentials, region),
            compression=None,
            max_size=None,
            ping_interval=30,
            open_timeout=_OPEN_TIMEOUT,
            close_timeout=_CLOSE_TIMEOUT,
            logger=SILENT,
        )
    except (OSError, TimeoutError, WebSocketException) as error:
        # Without the cause, which may contain the stream URL.
        why = str(error).replace(url, "the stream URL") or type(error).__name__
        where = f"{session.get('sessionId', '(no id)')} at {urlsplit(url).netloc}"
        raise ChannelError(f"could not open the data channel of session {where}: {why}") from None
    async with socket:
        hello = {
            "MessageSchemaVersion": "1.0",
            "RequestId": str(new_id()),
            "TokenValue": session["tokenValue"],
            "ClientId": str(new_id()),
            "ClientVersion": CLIENT_VERSION,
        }
        with suppress(ConnectionClosed):  # the reader gets the error
            await socket.send(json.dumps(hello, separators=(",", ":")))
        channel = DataChannel(socket, new_id)
        resender = asyncio.create_task(channel.resend_lost())
        try:
            yield channel
        finally:
            resender.cancel()


def _done(kind: str) -> dict[str, Any]:
    """The HandshakeResponse's entry for a client action: status 1 is done, 3 is unsupported."""
    if kind == _SESSION_TYPE:
        return {"ActionType": kind, "ActionStatus": 1, "ActionResult": None, "Error": ""}
    return {"ActionType": kind, "ActionStatus": 3, "ActionResult": None, "Error": f"Unsupported action {kind}"}


def _epoch_ms() -> int:
    return time.time_ns() // 1_000_000
