"""Reliable delivery in one direction: order, acknowledgement, retransmission. No I/O, no clock.

    Outgoing.push -> due -> (network) -> Incoming.receive -> in order, once
          ^------------ acknowledge -----------+

Times are seconds of a monotonic clock, passed in.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from .message import SYN, Message

_FIRST_RTT, _FIRST_RTO = 0.1, 0.2
_LEAST_VARIATION, _LONGEST_RTO = 0.010, 1.0
CHECK_INTERVAL = 0.1
"""Seconds between checks of the oldest unacknowledged message, as in the plugin and the agent."""


@dataclass
class _Sent:
    message: Message
    first: float
    last: float


class Outgoing:
    """Numbers messages, keeps them until they are acknowledged, and selects those to send again.

    Only the oldest unacknowledged message is ever resent; the timeout follows the measured round trip
    (RTTVAR, RTT and RTO as in the plugin's `calculateRetransmissionTimeout`).
    """

    def __init__(self, make: Callable[[int, int, int, bytes], Message]) -> None:
        """`make(sequence, flags, payload_type, payload)` builds a message, with its id and date."""
        self._make = make
        self._next = 0
        self._waiting: OrderedDict[int, _Sent] = OrderedDict()
        self.rtt, self.variation, self.timeout = _FIRST_RTT, 0.0, _FIRST_RTO

    def push(self, payload_type: int, payload: bytes, now: float, *, flag_first: bool = False) -> Message:
        """The next message of the stream, to be sent now. The agent flags its first with SYN."""
        flags = SYN if flag_first and self._next == 0 else 0
        message = self._make(self._next, flags, payload_type, payload)
        self._waiting[self._next] = _Sent(message, now, now)
        self._next += 1
        return message

    def acknowledge(self, sequence: int, now: float) -> None:
        """Forget a message that arrived; an unknown or repeated acknowledgement changes nothing."""
        sent = self._waiting.pop(sequence, None)
        if sent is None or sent.first != sent.last:
            return  # a resent message's round trip is ambiguous (Karn)
        measured = now - sent.first
        self.variation = 0.75 * self.variation + 0.25 * abs(self.rtt - measured)
        self.rtt = 0.875 * self.rtt + 0.125 * measured
        self.timeout = min(_LONGEST_RTO, self.rtt + max(_LEAST_VARIATION, 4 * self.variation))

    def due(self, now: float) -> Message | None:
        """The oldest unacknowledged message if its timeout has passed: send it again."""
        for sent in self._waiting.values():
            if now - sent.last < self.timeout:
                return None
            sent.last = now
            return sent.message
        return None

    @property
    def drained(self) -> bool:
        """Whether everything pushed was acknowledged."""
        return not self._waiting


class Incoming:
    """Orders incoming messages and delivers each once.

    `receive` returns (whether to acknowledge, the messages now deliverable in order). Duplicates are
    acknowledged again, as the agent does: otherwise one lost acknowledgement would make the sender
    resend forever. A full buffer drops without acknowledging, so the sender tries again.
    """

    def __init__(self, capacity: int = 10_000) -> None:
        self._expected = 0
        self._early: dict[int, Message] = {}
        self._capacity = capacity

    def receive(self, message: Message) -> tuple[bool, list[Message]]:
        if message.sequence < self._expected or message.sequence in self._early:
            return True, []
        if message.sequence > self._expected:
            if len(self._early) >= self._capacity:
                return False, []
            self._early[message.sequence] = message
            return True, []
        ready = [message]
        self._expected += 1
        while (following := self._early.pop(self._expected, None)) is not None:
            ready.append(following)
            self._expected += 1
        return True, ready
