"""The addresses at which tasks reach this machine's servers. Loopback works for processes only:

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
class Addressing:
    """The addresses of the cloud's servers: shared by the servers and by those who pass their URLs to tasks."""

    bridge: str | None = None
    """An address that this machine and its containers share; servers listen there as well."""
    ports: set[int] = field(default_factory=set)
    """Ports of this machine's servers that tasks use."""
    first_balancer: int = 0
    """The port of the first load balancer; 0, any free one."""

    hosts: frozenset[str] = frozenset()
    """Host names, in lower case, under which clients may address the cloud beside loopback's."""

    @property
    def names(self) -> frozenset[str]:
        """All names and addresses of the cloud but loopback's."""
        return self.hosts | ({self.bridge} if self.bridge is not None else set())

    def balancer_port(self) -> int:
        """The port of the next load balancer; 0, any free one."""
        port, self.first_balancer = self.first_balancer, 0
        return port

    def addresses(self) -> Iterator[str]:
        """Every address to listen on."""
        yield LOOPBACK
        if self.bridge is not None:
            yield self.bridge

    @property
    def shared_host(self) -> str:
        """The address that works both inside and outside of containers: tasks write it into rows and mails that are
        read on this machine."""
        return self.bridge or LOOPBACK

    def for_container(self, text: str, host: str) -> str:
        """Rewrites loopback URLs so that they work inside a container, where this machine is `host`."""
        return _LOOPBACK.sub(lambda hit: f"{host}:{hit[1]}" if int(hit[1]) in self.ports else hit[0], text)
