"""The machine's process table, as far as an audit needs it: who carries a token, who listens where, who is still who.

Told from /proc. Elsewhere than on Linux only single processes can be told, by `ps`.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import subprocess
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_LISTENS = "0A"
"""TCP_LISTEN in /proc/net/tcp."""


@dataclass(frozen=True)
class Identity:
    """A process that cannot be mistaken for a later one of the same number."""

    pid: int
    started: str
    """When, in the machine's own words: boot and clock ticks since then, or `ps`'s."""

    def alive(self) -> bool:
        return identity(self.pid) == self

    def kill(self) -> None:
        """SIGKILL, if it is this process still. Never another one's."""
        if sys.platform == "linux" and hasattr(os, "pidfd_open"):
            with contextlib.suppress(OSError):
                held = os.pidfd_open(self.pid)
                try:
                    if self.alive():  # the number cannot be used again for what `held` signals
                        signal.pidfd_send_signal(held, signal.SIGKILL)
                finally:
                    os.close(held)
        elif self.alive():
            with contextlib.suppress(OSError):
                os.kill(self.pid, signal.SIGKILL)


@dataclass(frozen=True)
class Carrier:
    """A process of a run."""

    identity: Identity
    token: str
    command: str
    """Its command line, shortened."""


def identity(pid: int) -> Identity | None:
    """Who has this number now; None when nobody has, or only a zombie that nobody reaped."""
    if sys.platform != "linux":
        return _identity_by_ps(pid)
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # from field 3 on: the name before it may contain anything
    return None if fields[0] in "ZX" else Identity(pid, f"{_boot()}/{fields[22 - 3]}")


def carriers(variable: str, tokens: Collection[str]) -> list[Carrier]:
    """Processes whose environment has `variable=token`, and all of the sessions that such a process leads."""
    wanted = {f"{variable}={token}".encode(): token for token in tokens}
    found: dict[int, str] = {}
    sessions: dict[int, int] = {}
    for pid in _pids():
        try:
            environment = (_PROC / str(pid) / "environ").read_bytes()
            sessions[pid] = os.getsid(pid)
        except OSError:  # ended meanwhile, or somebody else's
            continue
        if (token := next((wanted[one] for one in environment.split(b"\0") if one in wanted), None)) is not None:
            found[pid] = token
    for pid, session in sessions.items():
        if session in found:  # it changed its environment, and cannot have come from outside
            found.setdefault(pid, found[session])
    return [
        Carrier(who, token, _command(pid))
        for pid, token in sorted(found.items())
        if pid != os.getpid() and (who := identity(pid)) is not None
    ]


def listening(pid: int) -> list[str]:
    """Where a process listens for TCP, as `address:port`."""
    sockets = set()
    with contextlib.suppress(OSError):
        for link in (_PROC / str(pid) / "fd").iterdir():
            with contextlib.suppress(OSError):
                sockets.add(str(link.readlink()))
    inodes = {name[len("socket:[") : -1] for name in sockets if name.startswith("socket:[")}
    found = []
    for table in ("tcp", "tcp6") if inodes else ():
        with contextlib.suppress(OSError):
            for line in (_PROC / str(pid) / "net" / table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENS and fields[9] in inodes:
                    found.append(_address(fields[1]))
    return found


def _address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if len(host) == 8:
        host = ".".join(str(byte) for byte in reversed(bytes.fromhex(host)))
    else:
        host = "[::]" if not int(host, 16) else "[::1]"
    return f"{host}:{int(port, 16)}"


def _pids() -> Iterator[int]:
    if sys.platform != "linux":
        return
    for name in os.listdir(_PROC):  # noqa: PTH208 - a Path for each process costs more than reading it
        if name.isdigit():
            yield int(name)


@functools.cache
def _boot() -> str:
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _command(pid: int, limit: int = 60) -> str:
    try:
        words = (_PROC / str(pid) / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    except OSError:
        return ""
    text = " ".join(word.decode("utf-8", "replace") for word in words)
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    return text if len(text) <= limit else text[:limit] + "…"


def _identity_by_ps(pid: int) -> Identity | None:
    answer = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split(maxsplit=1)
    return None if len(answer) < 2 or answer[0].startswith("Z") else Identity(pid, answer[1].strip())
