"""The codec against byte vectors taken from aws/session-manager-plugin's own tests."""

import json
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webordinary_testkit.datachannel import Message, MessageError, acknowledge, acknowledged_sequence

VECTORS = json.loads((Path(__file__).parent / "data" / "ssm-vectors.json").read_text())


@pytest.mark.parametrize("vector", VECTORS, ids=[v["source"].split(":")[-1][:50] for v in VECTORS])
def test_a_vector_is_read_and_written_byte_for_byte(vector: dict[str, object]) -> None:
    frame = bytes.fromhex(str(vector["hex"]))
    message = Message.decode(frame)
    assert (message.type, message.sequence, message.flags) == (vector["type"], vector["seq"], vector["flags"])
    assert (message.created, message.payload_type) == (vector["created"], vector["payload_type"])
    assert message.id == UUID(str(vector["message_id"]))
    assert message.payload.hex() == vector["payload_hex"]
    assert message.encode() == frame


def test_an_acknowledgement_is_byte_equal_to_the_plugins() -> None:
    expected = bytes.fromhex(VECTORS[1]["hex"])
    constants = UUID("dd01e56b-ff48-483e-a508-b5f073f31b16")
    about = Message("input_stream_data", 2, b"x", constants, 1503434274948)
    assert acknowledge(about, id=constants, created=1503434274948).encode() == expected
    assert acknowledged_sequence(Message.decode(expected)) == 2


@given(st.binary(max_size=3000), st.integers(0, 2**40), st.uuids(), st.integers(0, 12))
def test_what_is_encoded_is_decoded(payload: bytes, sequence: int, id: UUID, kind: int) -> None:
    message = Message("output_stream_data", sequence, payload, id, 1, kind)
    assert Message.decode(message.encode()) == message


def test_a_changed_payload_is_refused() -> None:
    frame = bytearray(Message("output_stream_data", 0, b"abc", UUID(int=1), 1).encode())
    frame[-1] ^= 1
    with pytest.raises(MessageError, match="PayloadDigest"):
        Message.decode(bytes(frame))


@given(st.binary(max_size=200))
def test_noise_is_refused_with_a_message_error_and_nothing_else(noise: bytes) -> None:
    with pytest.raises(MessageError):
        Message.decode(noise)
