"""Where tasks find this machine's servers. Processes find them on loopback; containers have a loopback of their own.

on this machine       http://127.0.0.1:4566
Docker on Linux       the same port on the bridge of the run's network: the address is this machine's too
Docker Desktop        host.docker.internal, which leads to this machine's loopback
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

LOOPBACK = "127.0.0.1"
_LOOPBACK = re.compile(r"(?<![\w.-])(?:localhost|127\.0\.0\.1):(\d+)(?!\d)")


def cannot_listen(who: str, where: str, setting: str, error: OSError) -> OSError:
    """The error for a server that does not get the port that a setting below [emulated] names."""
    text = f"{who} cannot listen on {where}"
    if error.errno == errno.EADDRINUSE:
        text += f": {os.strerror(error.errno)}. next: see who listens: kit status; or set emulated.{setting} to 0"
    else:
        text += f": {error.strerror}"
    return OSError(error.errno, text)


@dataclass
class Reach:
    """Shared by who listens and who tells tasks where."""

    bridge: str | None = None
    """An address that this machine and its containers share; servers listen there as well."""
    ports: set[int] = field(default_factory=set)
    """Those of this machine's servers that tasks use."""
    first_balancer: int = 0
    """The port of the first load balancer; 0, any free one."""

    def balancer_port(self) -> int:
        """The port that the next load balancer is to have."""
        port, self.first_balancer = self.first_balancer, 0
        return port

    def addresses(self) -> Iterator[str]:
        """Every address to listen on."""
        yield LOOPBACK
        if self.bridge is not None:
            yield self.bridge

    @property
    def shared(self) -> str:
        """The address that is told to everybody, inside and outside alike: what a task writes into a row or a mail
        is read out here."""
        return self.bridge or LOOPBACK

    def inside(self, text: str, host: str) -> str:
        """A text with the places of this machine's servers, as somebody reads it to whom this machine is `host`."""

        def told(hit: re.Match[str]) -> str:
            return f"{host}:{hit[1]}" if int(hit[1]) in self.ports else hit[0]

        return _LOOPBACK.sub(told, text)
