"""One binary message of the data channel: a 120-byte header and a payload, all integers big-endian.

Layout and vectors are those of aws/session-manager-plugin (`src/message`).
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from typing import Any
from uuid import UUID

_HEADER = struct.Struct(">I32sIQqQ16s32sII")
_HEADER_LENGTH = 116
"""The value of the HeaderLength field: the offset of the PayloadLength field."""

INPUT = "input_stream_data"
OUTPUT = "output_stream_data"
ACKNOWLEDGE = "acknowledge"
CHANNEL_CLOSED = "channel_closed"
START_PUBLICATION = "start_publication"
PAUSE_PUBLICATION = "pause_publication"

SYN = 1
FIN = 2

# Payload types of stream messages.
BYTES = 1
ERROR = 2
SIZE = 3
PARAMETER = 4
HANDSHAKE_REQUEST = 5
HANDSHAKE_RESPONSE = 6
HANDSHAKE_COMPLETE = 7
ENCRYPTION_CHALLENGE = 8
FLAG = 10
STDERR = 11
EXIT_CODE = 12

TERMINATE_SESSION = struct.pack(">I", 2)
"""Payload of a FLAG message that ends the session."""

CHUNK = 1024
"""Bytes of payload per stream message, as in the plugin and the agent."""


class MessageError(ValueError):
    """A frame that is not a data channel message; names the invalid field."""


@dataclass(frozen=True)
class Message:
    """`created` is in epoch milliseconds. Sequence numbers count each direction's stream messages from 0."""

    type: str
    sequence: int
    payload: bytes
    id: UUID
    created: int
    payload_type: int = 0
    flags: int = 0
    schema: int = 1

    def encode(self) -> bytes:
        return (
            _HEADER.pack(
                _HEADER_LENGTH,
                self.type.encode("ascii").ljust(32),
                self.schema,
                self.created,
                self.sequence,
                self.flags,
                _swap(self.id.bytes),
                hashlib.sha256(self.payload).digest(),
                self.payload_type,
                len(self.payload),
            )
            + self.payload
        )

    @classmethod
    def decode(cls, frame: bytes) -> Message:
        """Raises `MessageError`, also for a wrong digest, as the plugin does."""
        if len(frame) < _HEADER.size:
            raise MessageError(f"expected at least {_HEADER.size} bytes of header, got {len(frame)}")
        length, kind, schema, created, sequence, flags, raw_id, digest, payload_type, size = _HEADER.unpack_from(frame)
        name = kind.replace(b"\0", b"").decode("ascii", "replace").strip()
        payload = frame[_HEADER.size :]
        if length != _HEADER_LENGTH:
            raise MessageError(f"expected HeaderLength {_HEADER_LENGTH}, got {length}")
        if not name:
            raise MessageError("MessageType is empty")
        if name not in (START_PUBLICATION, PAUSE_PUBLICATION):
            if not created:
                raise MessageError(f"{name}: CreatedDate is 0")
            if size and hashlib.sha256(payload).digest() != digest:
                raise MessageError(f"{name} {sequence}: PayloadDigest is not the payload's SHA-256")
        return cls(name, sequence, payload, UUID(bytes=_swap(raw_id)), created, payload_type, flags, schema)

    def json(self) -> Any:
        """The payload as JSON. Raises `MessageError`."""
        try:
            return json.loads(self.payload)
        except ValueError as error:
            raise MessageError(f"{self.type} {self.sequence}: payload is not JSON: {error}") from error


def acknowledge(message: Message, *, id: UUID, created: int) -> Message:
    """The acknowledgement of a stream message (keys in the order of the Go implementation)."""
    payload = json.dumps(
        {
            "AcknowledgedMessageType": message.type,
            "AcknowledgedMessageId": str(message.id),
            "AcknowledgedMessageSequenceNumber": message.sequence,
            "IsSequentialMessage": True,
        },
        separators=(",", ":"),
    ).encode()
    return Message(ACKNOWLEDGE, 0, payload, id, created, flags=SYN | FIN)


def acknowledged_sequence(message: Message) -> int:
    """The sequence number of the acknowledged stream message. Raises `MessageError`."""
    try:
        return int(message.json()["AcknowledgedMessageSequenceNumber"])
    except (KeyError, TypeError, ValueError) as error:
        raise MessageError(f"acknowledge without a usable AcknowledgedMessageSequenceNumber: {error!r}") from error


def _swap(id_bytes: bytes) -> bytes:
    """On the wire the two halves of a UUID are swapped."""
    return id_bytes[8:] + id_bytes[:8]
