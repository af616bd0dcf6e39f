"""Runs commands inside a container: health checks, and the terminals of ECS Exec."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp
from aiodocker.containers import DockerContainer
from aiodocker.execs import Exec

from .engine_run import ENGINE_ERRORS

_MARK = "EMULATION_COMMAND"
_END = (
    'for p in /proc/[0-9]*; do s=$(cat "$p/stat" 2>/dev/null) || continue; set -- ${s##*) }; '
    f'if [ "$4" = "$SESSION" ] || grep -qs "{_MARK}=$MARK" "$p/environ"; then kill -9 "${{p#/proc/}}"; fi; done'
)
"""Kills every process of a session (field 4 behind the name in /proc/<pid>/stat) and every process with the mark in its
environment, as far as root may read that."""


async def run(container: DockerContainer, argv: Sequence[str], mark: str) -> int:
    """Implements `RunningContainer.run`."""
    try:
        command = await container.exec(list(argv), environment={_MARK: mark})
        output = b""
        async with command.start() as stream:
            try:
                while (message := await stream.read_out()) is not None:
                    output = output or message.data
            except BaseException:
                await _end(container, command, mark, user="")
                raise
        code = (await command.inspect())["ExitCode"]
    except ENGINE_ERRORS as error:
        return 127 if _missing(str(error)) else 126
    if code == 126 and _missing(output.decode(errors="replace")):  # engines differ here; shells do not
        return 127
    return 137 if code is None else int(code)


class ExecTerminal:
    """`emulation.services.ecs.exec.terminal.Terminal` inside a container."""

    def __init__(self, container: DockerContainer, command: Exec, stream: Any, mark: str, user: str) -> None:
        self._container = container
        self._command = command
        self._stream = stream
        self._mark = mark
        self._user = user
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
            state = await _begun(command)
        except ENGINE_ERRORS as error:
            raise OSError(str(getattr(error, "message", error))) from error
        if not state["Running"] and state["ExitCode"] in (126, 127) and not state.get("Pid"):
            output = await stream.read_out()
            await stream.close()
            text = output.data.decode(errors="replace").strip() if output else ""
            raise OSError(text or f'exec: "{argv[0]}": executable file not found in $PATH')
        return cls(container, command, stream, mark, user)

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
            with contextlib.suppress(*ENGINE_ERRORS):
                if (await self._command.inspect())["Running"]:
                    await _end(self._container, self._command, self._mark, user=self._user)
        finally:
            await self._stream.close()

    async def _write(self) -> None:
        while True:
            item = await self._unwritten.get()
            with contextlib.suppress(*ENGINE_ERRORS, OSError, RuntimeError, AssertionError):
                if isinstance(item, bytes):
                    await self._stream.write_in(item)
                else:
                    await self._command.resize(w=item[0], h=item[1])


async def _begun(command: Exec) -> dict[str, Any]:
    """The state of a command once it runs or has failed. It is polled: the engine reports earlier states too, and no
    change."""
    while True:
        state: dict[str, Any] = await command.inspect()
        if state.get("Pid") or not state["Running"]:
            return state
        await asyncio.sleep(0.005)


async def _end(container: DockerContainer, command: Exec, mark: str, *, user: str) -> None:
    """Kill a command and all it started. The engine's API cannot, so another command does, which needs a shell and grep
    in the image; without them the command ends with its container."""
    with contextlib.suppress(*ENGINE_ERRORS):
        session = _inner_pid((await command.inspect()).get("Pid") or 0)
        environment = {"SESSION": str(session or "none"), "MARK": mark}
        killer = await container.exec(["/bin/sh", "-c", _END], user=user, environment=environment)
        async with killer.start() as stream:
            while await stream.read_out() is not None:
                pass


def _inner_pid(pid: int) -> int | None:
    """A process id inside its container; None if the engine does not run on this machine."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    ids = [line.split() for line in status.splitlines() if line.startswith("NSpid:")]
    return int(ids[0][-1]) if ids and len(ids[0]) > 2 else None


def _missing(text: str) -> bool:
    return "executable file not found" in text or "no such file or directory" in text
