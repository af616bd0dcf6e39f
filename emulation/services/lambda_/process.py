"""The process of one execution environment: forked or executed, its output read as it comes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

_CHUNK = 65_536


class Ended(Protocol):
    """A started program."""

    pid: int

    @property
    def returncode(self) -> int | None: ...

    async def wait(self) -> int: ...


class Forks(Protocol):
    """Starts known Python programs quickly."""

    def takes(self, argv: Sequence[str], variables: Mapping[str, str]) -> bool: ...

    async def spawn(self, argv: Sequence[str], *, out: int, directory: Path, variables: Mapping[str, str]) -> Ended: ...


class Guardian(Protocol):
    """Kills the process groups that it watches if the cloud is killed."""

    async def watch(self, pgid: int) -> None: ...

    async def forget(self, pgid: int) -> None: ...


class Launcher:
    """Starts processes."""

    def __init__(self, guardian: Guardian, forks: Forks | None = None) -> None:
        self._guardian = guardian
        self._forks = forks

    async def start(
        self, argv: Sequence[str], directory: Path, variables: Mapping[str, str], output: Callable[[bytes], None]
    ) -> Process:
        """Raises OSError."""
        reading, writing = os.pipe()
        try:
            if self._forks is not None and self._forks.takes(argv, variables):
                started = await self._forks.spawn(argv, out=writing, directory=directory, variables=variables)
            else:
                started = await _executed(argv, writing, directory, variables)
        except OSError:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        await self._guardian.watch(started.pid)
        return Process(started, reading, output, self._guardian)


class Process:
    def __init__(self, started: Ended, pipe: int, output: Callable[[bytes], None], guardian: Guardian) -> None:
        self._started = started
        self._pipe = pipe
        self._output = output
        self._guardian = guardian
        os.set_blocking(pipe, False)
        self._open = True
        asyncio.get_running_loop().add_reader(pipe, self.read)

    @property
    def pid(self) -> int:
        return self._started.pid

    async def wait(self) -> int:
        """The exit code; -n after signal n."""
        return await self._started.wait()

    def read(self) -> None:
        """Pass on the output that has been written up to now."""
        while self._open:
            try:
                data = os.read(self._pipe, _CHUNK)
            except BlockingIOError:
                return
            if not data:
                self._close()
                return
            self._output(data)

    async def kill(self) -> None:
        """Kill the process and all that it started, and wait for its end."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        await self._started.wait()
        self.read()
        self._close()
        await self._guardian.forget(self.pid)

    def _close(self) -> None:
        if self._open:
            self._open = False
            asyncio.get_running_loop().remove_reader(self._pipe)
            os.close(self._pipe)


async def _executed(
    argv: Sequence[str], out: int, directory: Path, variables: Mapping[str, str]
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=out,
        stderr=out,
        cwd=directory,
        env=variables,
        start_new_session=True,
    )


def most_memory(pid: int) -> int:
    """The most memory that a process has used, in bytes; 0 where the kernel does not say."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:")), 0)
