"""Allocates free TCP ports on loopback for containers."""

from __future__ import annotations

import os
import socket

_FIRST = 20_000
_COUNT = 12_000
"""Below the ephemeral ports of Linux (32768) and macOS (49152), so that no outgoing connection takes a port between the
check and the container's bind."""
_STRIDE = 97


class Ports:
    """Allocates each port once, and reuses returned ports as late as possible.

    Clouds on one machine begin at different ports, to avoid races.
    """

    def __init__(self) -> None:
        self._next = os.getpid() * _STRIDE % _COUNT
        self._taken: set[int] = set()

    def take(self) -> int:
        """A free port. Raises `OSError` if there is none."""
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
