"""The processes of this machine, as an audit needs them: their run tokens, ports and identities."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Identity:
    """A process that cannot be mistaken for a later one with the same number."""

    pid: int
    started: str
    """Its start time, epoch seconds as psutil reads them."""

    def alive(self) -> bool:
        return identity(self.pid) == self

    def kill(self) -> None:
        """SIGKILL, if the number still belongs to this process."""
        with contextlib.suppress(OSError):
            if sys.platform == "linux" and hasattr(os, "pidfd_open"):
                held = os.pidfd_open(self.pid)
                try:
                    if self.alive():  # the number cannot be reused while `held` is open
                        signal.pidfd_send_signal(held, signal.SIGKILL)
                finally:
                    os.close(held)
            elif self.alive():
                os.kill(self.pid, signal.SIGKILL)


@dataclass(frozen=True)
class Carrier:
    """A process of a run."""

    identity: Identity
    token: str
    command: str
    """Its command line, shortened."""


def identity(pid: int) -> Identity | None:
    """The process with this number now; None when there is none, or only a zombie."""
    import psutil  # noqa: PLC0415 - slow to import: not for every command

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else Identity(pid, f"{process.create_time():.2f}")
    except psutil.Error:
        return None


def carriers(variable: str, tokens: Collection[str]) -> list[Carrier]:
    """Processes with `variable=token` in their environment, and all of the sessions that such a process leads."""
    import psutil  # noqa: PLC0415

    found: dict[int, str] = {}
    sessions: dict[int, int] = {}
    for pid in psutil.pids() if tokens else ():
        with contextlib.suppress(psutil.Error, OSError):  # ended meanwhile, or another user's
            token = psutil.Process(pid).environ().get(variable)
            sessions[pid] = os.getsid(pid)
            if token is not None and token in tokens:
                found[pid] = token
    for pid, session in sessions.items():
        if session in found:  # it changed its environment, and cannot have come from outside
            found.setdefault(pid, found[session])
    return [
        Carrier(process, token, _command(pid))
        for pid, token in sorted(found.items())
        if pid != os.getpid() and (process := identity(pid)) is not None
    ]


def listening(pid: int) -> list[str]:
    """Where a process listens for TCP, as `address:port`."""
    import psutil  # noqa: PLC0415

    with contextlib.suppress(psutil.Error):
        sockets = psutil.Process(pid).net_connections(kind="tcp")
        hosts = [(f"[{one.laddr.ip}]" if ":" in one.laddr.ip else one.laddr.ip, one) for one in sockets if one.laddr]
        return [f"{host}:{one.laddr.port}" for host, one in hosts if one.status == psutil.CONN_LISTEN]
    return []


def _command(pid: int, limit: int = 60) -> str:
    import psutil  # noqa: PLC0415

    try:
        text = " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return ""
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    return text if len(text) <= limit else text[:limit] + "…"
