"""One direction of the channel over a network that loses, repeats and reorders."""

import random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webordinary_testkit.datachannel import Incoming, Message, Outgoing


def made(sequence: int, flags: int, kind: int, payload: bytes) -> Message:
    return Message("output_stream_data", sequence, payload, UUID(int=sequence), 1, kind, flags)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=5), max_size=40), st.integers(0, 2**32), st.floats(0, 0.6))
def test_everything_arrives_once_and_in_order(payloads: list[bytes], seed: int, loss: float) -> None:
    network = random.Random(seed)
    outgoing, incoming, delivered = Outgoing(made), Incoming(), []
    flying = [outgoing.push(1, payload, 0.0) for payload in payloads]
    now = 0.0
    for _ in range(20_000):
        network.shuffle(flying)
        for message in flying + [m for m in flying if network.random() < 0.2]:
            if network.random() < loss:
                continue
            confirm, ready = incoming.receive(message)
            delivered += [m.payload for m in ready]
            if confirm and network.random() >= loss:
                outgoing.acknowledge(message.sequence, now)
        now += 0.1
        flying = [again] if (again := outgoing.due(now)) else []
        if outgoing.drained:
            break
    assert delivered == payloads
    assert outgoing.drained


def test_the_retransmission_timeout_follows_the_plugins_arithmetic() -> None:
    outgoing = Outgoing(made)
    outgoing.push(1, b"x", 0.0)
    outgoing.acknowledge(0, 0.140)
    assert outgoing.rtt == pytest.approx(0.105)
    assert outgoing.variation == pytest.approx(0.010)
    assert outgoing.timeout == pytest.approx(0.145)


def test_only_the_oldest_unacknowledged_message_is_repeated() -> None:
    outgoing = Outgoing(made)
    for payload in (b"a", b"b"):
        outgoing.push(1, payload, 0.0)
    assert outgoing.due(0.1) is None
    assert (again := outgoing.due(0.25)) is not None and again.payload == b"a"
    outgoing.acknowledge(0, 0.3)
    assert (again := outgoing.due(0.5)) is not None and again.payload == b"b"


def test_a_duplicate_is_acknowledged_again_but_delivered_once() -> None:
    incoming = Incoming()
    assert incoming.receive(made(0, 0, 1, b"a"))[1] != []
    assert incoming.receive(made(0, 0, 1, b"a")) == (True, [])


def test_a_full_buffer_drops_without_acknowledging() -> None:
    incoming = Incoming(capacity=1)
    assert incoming.receive(made(1, 0, 1, b"b"))[0]
    assert not incoming.receive(made(2, 0, 1, b"c"))[0]
    assert [m.payload for m in incoming.receive(made(0, 0, 1, b"a"))[1]] == [b"a", b"b"]
