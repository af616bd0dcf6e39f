"""Free TCP ports on loopback for the containers of this machine."""

from __future__ import annotations

import os
import socket

_FIRST = 20_000
_COUNT = 12_000
"""Below the range from which Linux (32768) and macOS (49152) take the ports of outgoing connections: nobody else is
given one of these between our look at it and the container's bind."""
_STRIDE = 97


class Ports:
    """Hands out ports, each to one holder at a time, and a returned one as late as possible.

    Two clouds on one machine begin at different places, so they do not race for the same port.
    """

    def __init__(self) -> None:
        self._next = os.getpid() * _STRIDE % _COUNT
        self._taken: set[int] = set()

    def take(self) -> int:
        """A port nobody listens on. Raises `OSError` when there is none."""
        for _ in range(_COUNT):
            port = _FIRST + self._next
            self._next = (self._next + 1) % _COUNT
            if port not in self._taken and _is_free(port):
                self._taken.add(port)
                return port
        raise OSError(f"no free port between {_FIRST} and {_FIRST + _COUNT} on 127.0.0.1")

    def give_back(self, port: int) -> None:
        self._taken.discard(port)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
