"""The cloud's side of the fork server."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ....core.run_token import run_variables
from ...controller_base import ControllerBase
from .server import HEADER, ROOM, ROOM_VARIABLE

_AT_START = (
    "PYTHON",
    "LD_",
    "DYLD_",
    "LANG",
    "LC_",
    "MALLOC_",
    "GLIBC_",
    "OPENSSL_",
    "SSL_CERT_",
    "AIOHTTP_",
    "AWS_DATA",
)
"""Beginnings of variables that the interpreter, the C library and the libraries read when they are loaded."""
_SERVER = Path(__file__).with_name("server.py")


@dataclass(eq=False)
class Forked:
    """A forked program; what is used of `asyncio.subprocess.Process`."""

    pid: int
    returncode: int | None = None
    """-n after signal n, None while it runs."""
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self) -> int:
        await self._over.wait()
        assert self.returncode is not None
        return self.returncode

    def end(self, status: int) -> None:
        self.returncode = status
        self._over.set()


class ForkServer(ControllerBase):
    """Starts `python -m MODULE …` for known modules in a few milliseconds. A `Controller` that handles no operation:
    it is stopped after the tasks."""

    def __init__(self, packages: Collection[str], log: logging.Logger) -> None:
        """`packages` are run by `-m`; the module `warm` of each is imported beforehand, and must start no thread."""
        self._packages = packages
        self._log = log
        self._environment = _own_environment()
        self._running: dict[int, Forked] = {}
        self._one_order = asyncio.Lock()
        self._answer: asyncio.Future[Forked] | None = None

    async def start(self) -> None:
        """Start the server. It imports in the background; whoever wants a program before that waits for it."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                *(
                    sys.executable,
                    "-P",
                    str(_SERVER),
                    str(theirs.fileno()),
                    *(f"{each}.warm" for each in self._packages),
                ),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                env={**self._environment, ROOM_VARIABLE: "-" * ROOM},
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        ours.setblocking(False)
        self._socket = ours
        self._listening = asyncio.create_task(self._listen())

    async def stop(self) -> None:
        """End the server. The programs are stopped by their tasks before that."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        await self._process.wait()
        await self._listening
        self._socket.close()

    def takes(self, argv: Sequence[str], variables: Mapping[str, str]) -> bool:
        """Whether this program would run as it does by `exec`: a known module of this Python, and no variable that
        only counts at the start of an interpreter; and an environment for which there is room."""
        if argv[:2] != [sys.executable, "-m"] or len(argv) < 3 or argv[2] not in self._packages:
            return False
        fits = sum(len(os.fsencode(f"{name}={value}")) + 1 for name, value in variables.items()) <= ROOM
        return fits and _at_start(variables) == _at_start(self._environment)

    async def spawn(self, argv: Sequence[str], *, out: int, directory: Path, variables: Mapping[str, str]) -> Forked:
        """Start a program that the server `takes`; `out` gets stdout and stderr. Raises OSError."""
        _, _, module, *arguments = argv
        order = json.dumps(
            {"module": module, "arguments": arguments, "directory": str(directory), "environment": dict(variables)}
        ).encode()
        loop = asyncio.get_running_loop()
        async with self._one_order:  # so the socket's buffer is empty, and answers need no number
            if self._listening.done():
                raise BrokenPipeError(errno.EPIPE, f"the fork server has ended, exit code {self._process.returncode}")
            self._answer = loop.create_future()
            socket.send_fds(self._socket, [len(order).to_bytes(HEADER, "big")], [out])
            await loop.sock_sendall(self._socket, order)
            return await self._answer

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        rest = b""
        with contextlib.suppress(ConnectionError):
            while data := await loop.sock_recv(self._socket, 65_536):
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self._take(json.loads(line))
        code = await self._process.wait()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(BrokenPipeError(errno.EPIPE, f"the fork server has ended, exit code {code}"))
        if self._running:
            self._log.error(
                "the fork server has ended, exit code %d: its %d programs are killed", code, len(self._running)
            )
        for program in list(self._running.values()):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
            program.end(-signal.SIGKILL)
        self._running.clear()

    def _take(self, said: Mapping[str, int]) -> None:
        """A line from the server: the end of a program, or the answer to the order."""
        if "ended" in said:
            if (program := self._running.pop(said["pid"], None)) is not None:  # None: it did not get as far as to run
                program.end(said["ended"])
            return
        assert self._answer is not None
        if "error" not in said:
            program = self._running[said["pid"]] = Forked(said["pid"])
            if self._answer.cancelled():
                os.killpg(program.pid, signal.SIGKILL)
            else:
                self._answer.set_result(program)
        elif not self._answer.cancelled():
            self._answer.set_exception(OSError(said["error"], os.strerror(said["error"])))


def _own_environment() -> dict[str, str]:
    """What every task gets of this process's environment, and no more."""
    return {"LANG": os.environ.get("LANG", "C.UTF-8"), "PATH": os.environ.get("PATH", os.defpath), **run_variables()}


def _at_start(variables: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if name.startswith(_AT_START)}
