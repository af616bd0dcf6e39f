"""Commands beside a container's own program: health checks, and ECS Exec's terminals."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

import aiohttp
from aiodocker import DockerError
from aiodocker.containers import DockerContainer
from aiodocker.execs import Exec

_MARK = "EMULATION_COMMAND"
_END = f'for p in /proc/[0-9]*; do grep -qs "{_MARK}=$0" "$p/environ" && kill -9 "${{p#/proc/}}"; done'
_ROOT = "0:0"


async def run(container: DockerContainer, argv: Sequence[str], mark: str) -> int:
    """As `Running.run`."""
    try:
        command = await container.exec(list(argv), environment={_MARK: mark})
        said = b""
        async with command.start() as stream:
            try:
                while (message := await stream.read_out()) is not None:
                    said = said or message.data
            except BaseException:
                await _end(container, mark)
                raise
        code = (await command.inspect())["ExitCode"]
    except (DockerError, aiohttp.ClientError) as error:
        return _not_run(error)
    if code == 126 and _missing(said.decode(errors="replace")):  # engines differ here; shells do not
        return 127
    return 137 if code is None else int(code)


class ExecTerminal:
    """`emulation.ecs.exec.terminal.Terminal` inside a container."""

    def __init__(self, container: DockerContainer, command: Exec, stream: Any, mark: str) -> None:
        self._container = container
        self._command = command
        self._stream = stream
        self._mark = mark
        self._closing: asyncio.Task[None] | None = None
        self._unwritten: asyncio.Queue[bytes | tuple[int, int]] = asyncio.Queue()
        self._writing = asyncio.create_task(self._write())

    @classmethod
    async def start(cls, container: DockerContainer, argv: Sequence[str], mark: str, *, user: str) -> ExecTerminal:
        """Raises `OSError` when the program cannot be run."""
        environment = {_MARK: mark, "TERM": "xterm-256color"}
        try:
            command = await container.exec(list(argv), stdin=True, tty=True, user=user, environment=environment)
            stream = command.start()
            await stream._init()
            state = await command.inspect()
        except (DockerError, aiohttp.ClientError) as error:
            raise OSError(str(getattr(error, "message", error))) from error
        if not state["Running"] and state["ExitCode"] in (126, 127) and not state.get("Pid"):
            said = await stream.read_out()
            await stream.close()
            text = said.data.decode(errors="replace").strip() if said else ""
            raise OSError(text or f'exec: "{argv[0]}": executable file not found in $PATH')
        return cls(container, command, stream, mark)

    async def read(self) -> bytes:
        if self._closing is not None:
            return b""
        try:
            message = await self._stream.read_out()
        except (aiohttp.ClientError, OSError, RuntimeError):
            return b""
        return b"" if message is None else bytes(message.data)

    def write(self, data: bytes) -> None:
        self._unwritten.put_nowait(data)

    def resize(self, columns: int, rows: int) -> None:
        self._unwritten.put_nowait((columns, rows))

    async def close(self) -> None:
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        self._writing.cancel()
        await asyncio.wait({self._writing})
        try:
            with contextlib.suppress(DockerError, aiohttp.ClientError):
                if (await self._command.inspect())["Running"]:
                    await _end(self._container, self._mark)
        finally:
            await self._stream.close()

    async def _write(self) -> None:
        while True:
            told = await self._unwritten.get()
            with contextlib.suppress(DockerError, aiohttp.ClientError, OSError, RuntimeError, AssertionError):
                if isinstance(told, bytes):
                    await self._stream.write_in(told)
                else:
                    await self._command.resize(w=told[0], h=told[1])


async def _end(container: DockerContainer, mark: str) -> None:
    """Kill a command and all it started. The engine has no call for that, so another command does it, which needs a
    shell and grep in the image; without them the command ends with its container."""
    with contextlib.suppress(DockerError, aiohttp.ClientError):
        killer = await container.exec(["/bin/sh", "-c", _END, mark], user=_ROOT)
        async with killer.start() as stream:
            while await stream.read_out() is not None:
                pass


def _missing(text: str) -> bool:
    return "executable file not found" in text or "no such file or directory" in text


def _not_run(error: BaseException) -> int:
    return 127 if _missing(str(error)) else 126
