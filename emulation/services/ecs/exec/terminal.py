"""Runs a command on a pseudo-terminal of this machine, as the SSM agent does in a container."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
import signal
import struct
import termios
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

_READ = 65_536


class Terminal(Protocol):
    """A running command and its terminal."""

    async def read(self) -> bytes:
        """The next output; b"" once, when the last process has closed the terminal."""

    def write(self, data: bytes) -> None: ...

    def resize(self, columns: int, rows: int) -> None: ...

    async def close(self) -> None:
        """Kill the command and everything it started. Idempotent."""


class LocalTerminal:
    """A `Terminal` of the process runtime."""

    def __init__(self, master: int, process: asyncio.subprocess.Process) -> None:
        self._master = master
        self._process = process
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue()
        self._unwritten = bytearray()
        self._closed = False
        self.on_close: Callable[[], Awaitable[None]] | None = None
        os.set_blocking(master, False)
        asyncio.get_running_loop().add_reader(master, self._readable)

    @classmethod
    async def start(cls, argv: Sequence[str], *, environment: Mapping[str, str], directory: Path) -> LocalTerminal:
        """Raises `FileNotFoundError` if argv[0] is not in the environment's PATH."""
        program = shutil.which(argv[0], path=environment.get("PATH", os.defpath))
        if program is None:
            raise FileNotFoundError(f'exec: "{argv[0]}": executable file not found in $PATH')
        master, slave = os.openpty()
        try:
            # A session leader gets its controlling terminal by opening it. /bin/sh only does that: the command's words
            # are arguments, never shell code.
            process = await asyncio.create_subprocess_exec(
                *("/bin/sh", "-c", 'exec "$@" <>"$0"', os.ttyname(slave), program, *argv[1:]),
                env={"TERM": "xterm-256color", "LANG": "C.UTF-8", **environment},
                cwd=directory,
                start_new_session=True,
                stdin=slave,
                stdout=slave,
                stderr=slave,
            )
        except BaseException:
            os.close(master)
            raise
        finally:
            os.close(slave)
        return cls(master, process)

    @property
    def process_group(self) -> int:
        return self._process.pid

    async def read(self) -> bytes:
        return await self._chunks.get()

    def write(self, data: bytes) -> None:
        if not self._unwritten and not self._closed:
            asyncio.get_running_loop().add_writer(self._master, self._writable)
        self._unwritten += data

    def resize(self, columns: int, rows: int) -> None:
        with contextlib.suppress(OSError):  # the command has ended, which read() reports
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._master)
        loop.remove_writer(self._master)
        os.close(self._master)
        if self.on_close is not None:
            await self.on_close()

    def _readable(self) -> None:
        try:
            data = os.read(self._master, _READ)
        except BlockingIOError:
            return
        except OSError:  # EIO: no process holds the terminal
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._master)
        self._chunks.put_nowait(data)

    def _writable(self) -> None:
        try:
            del self._unwritten[: os.write(self._master, self._unwritten)]
        except BlockingIOError:
            return
        except OSError:
            self._unwritten.clear()
        if not self._unwritten:
            asyncio.get_running_loop().remove_writer(self._master)
