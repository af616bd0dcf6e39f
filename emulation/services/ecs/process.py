"""The process runtime: a container is a program of this machine in a process group of its own.

What a process cannot have: a file system, a network address, memory and CPU limits, read-only mounts. Its container
port becomes a port of its own on 127.0.0.1, told in PORT; paths of its mounts become the real folders.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ...core.run_token import run_variables
from .ports import Ports
from .process_table import carrying, usage_by_group
from .runtime import METADATA_VARIABLE, CannotPull, CannotStart, ContainerSpec, Output, Sandbox, TaskSpec, Usage
from .translation import Translation

if TYPE_CHECKING:
    from .exec.terminal import Terminal

_ADDRESS = "127.0.0.1"
_CHUNK = 65_536
_LAST_OUTPUT = 1.0
"""Wall seconds of silence after which output is given up that something out of reach still holds open."""


class Guardian(Protocol):
    """Kills the process groups it watches when the cloud itself is killed."""

    async def watch(self, pgid: int) -> None: ...

    async def forget(self, pgid: int) -> None: ...


class ProcessRuntime:
    """A `Runtime` of local processes."""

    def __init__(self, programs: Mapping[str, Sequence[str]], guardian: Guardian) -> None:
        self._programs = programs
        self._guardian = guardian
        self._ports = Ports()
        self._places: dict[str, dict[str, _Process]] = {}

    async def prepare(self, task: TaskSpec) -> Sandbox:
        self._places[task.id] = {}
        return Sandbox(task, _ADDRESS, {port: self._ports.take() for port in task.ports})

    async def pull(self, image: str) -> str:
        if image not in self._programs:
            known = ", ".join(sorted(self._programs)) or "none"
            raise CannotPull(
                f"no program for image {image} in the process runtime. Map it under [programs] in kit.toml, for "
                f'example "{image}" = ["python3", "-m", "my_service"] (mapped now: {known}).'
            )
        identity = json.dumps([image, *self._programs[image]])
        return f"sha256:{hashlib.sha256(identity.encode()).hexdigest()}"

    async def start(self, sandbox: Sandbox, container: ContainerSpec, output: Output) -> _Process:
        argv = [*(container.entry_point or self._programs[container.image]), *container.command]
        translation = Translation(container.mounts, sandbox.ports)
        home = sandbox.task.folder / container.name
        directory = Path(translation.path(container.working_directory or "") or home)
        _make(home / "tmp", directory)
        environment = _environment(container, sandbox, translation, home)
        process = _Process(self._guardian, environment, directory, translation, output)
        await process.start([translation.value(word) for word in argv])
        self._places[sandbox.task.id][container.name] = process
        return process

    async def usage(self) -> Mapping[tuple[str, str], Usage]:
        running = {
            (task, name): process.group
            for task, place in self._places.items()
            for name, process in place.items()
            if process.alive
        }
        used = await usage_by_group(set(running.values()))
        return {key: used[group] for key, group in running.items() if group in used}

    async def release(self, sandbox: Sandbox) -> None:
        for process in self._places.pop(sandbox.task.id, {}).values():
            process.kill()
            await process.wait()
        for port in sandbox.ports.values():
            self._ports.give_back(port)


def _make(*folders: Path) -> None:
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)


def _environment(container: ContainerSpec, sandbox: Sandbox, translation: Translation, home: Path) -> Mapping[str, str]:
    """All a process finds: nothing of the developer's own environment but the language and where programs are."""
    told = {name: translation.value(value) for name, value in container.environment.items()}
    environment = {"LANG": os.environ.get("LANG", "C.UTF-8"), **told, **run_variables()}
    # These describe the container's own file system, which is not there.
    environment |= {"HOME": str(home), "TMPDIR": str(home / "tmp"), "PATH": os.environ.get("PATH", os.defpath)}
    for port, real in sandbox.ports.items():
        environment[f"PORT_{port}"] = str(real)
    main = environment.get("PORT", "")
    listens_on = int(main) if main.isdigit() and int(main) in sandbox.ports else next(iter(container.ports), None)
    if listens_on is not None:
        environment["PORT"] = str(sandbox.ports[listens_on])
    return environment


class _Process:
    """One container: a process group, its leader, and the commands run beside it."""

    def __init__(
        self,
        guardian: Guardian,
        environment: Mapping[str, str],
        directory: Path,
        translation: Translation,
        output: Output,
    ) -> None:
        self._guardian = guardian
        self._environment = environment
        self._directory = directory
        self._translation = translation
        self._output = output
        self._beside: set[int] = set()
        """Process groups of commands run in the container by others than its program."""
        self._delivered = 0
        self._leader: asyncio.subprocess.Process
        self._over: asyncio.Task[int]

    @property
    def group(self) -> int:
        return self._leader.pid

    @property
    def out_of_memory(self) -> bool:
        return False  # a process has no limit of its own

    @property
    def alive(self) -> bool:
        return self._leader.returncode is None

    async def start(self, argv: Sequence[str]) -> None:
        """Raises `CannotStart`."""
        reading, writing = os.pipe()
        try:
            self._leader = await self._spawn(argv, writing)
        except OSError as error:
            os.close(reading)
            raise CannotStart(f'exec: "{argv[0]}": {_why(error)}') from error
        finally:
            os.close(writing)
        await self._guardian.watch(self.group)
        self._over = asyncio.create_task(self._follow(reading))

    def signal(self, number: signal.Signals) -> None:
        if self.alive:
            # Not by Popen's own method: that looks whether the process has ended, and may take its exit code away
            # from asyncio, which then says 255.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._leader.pid, number)

    def kill(self) -> None:
        if self.alive:
            _kill_group(self.group)

    def pause(self) -> None:
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal_all(signal.SIGCONT)

    async def wait(self) -> int:
        return await asyncio.shield(self._over)

    async def run(self, argv: Sequence[str]) -> int:
        try:
            command = await self._spawn([self._translation.text(word) for word in argv], asyncio.subprocess.DEVNULL)
        except OSError as error:
            return 127 if isinstance(error, FileNotFoundError) else 126
        await self._join(command.pid)
        try:
            return _exit_code(await command.wait())
        finally:
            _kill_group(command.pid)
            await self._leave(command.pid)

    async def terminal(self, argv: Sequence[str]) -> Terminal:
        from .exec.terminal import LocalTerminal  # noqa: PLC0415 - needs POSIX; only for ECS Exec

        terminal = await LocalTerminal.start(argv, environment=self._environment, directory=self._directory)
        await self._join(terminal.process_group)
        return _TerminalBeside(terminal, lambda: self._leave(terminal.process_group))

    async def _spawn(self, argv: Sequence[str], out: int) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd=self._directory,
            env=self._environment,
            start_new_session=True,
        )

    async def _follow(self, pipe: int) -> int:
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(pipe, "rb", 0)
        )
        reading = asyncio.create_task(self._read(reader))
        code = _exit_code(await self._leader.wait())
        await self._end_rest()
        seen = -1
        while not reading.done() and seen != self._delivered:
            seen = self._delivered
            await asyncio.wait({reading}, timeout=_LAST_OUTPUT)
        transport.close()
        await reading
        return code

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(_CHUNK):
            await self._output(data)
            self._delivered += len(data)

    async def _end_rest(self) -> None:
        """The first process has ended, so the container has: nothing of it goes on."""
        for group in (self.group, *self._beside):
            _kill_group(group)
            await self._guardian.forget(group)
        self._beside.clear()
        for stray in self._carrying():
            with contextlib.suppress(ProcessLookupError):
                os.kill(stray, signal.SIGKILL)

    def _signal_all(self, number: int) -> None:
        """To every process of the container, those that left its groups included."""
        if not self.alive:
            return
        for group in (self.group, *self._beside):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, number)
        for stray in self._carrying():
            with contextlib.suppress(ProcessLookupError):
                os.kill(stray, number)

    def _carrying(self) -> list[int]:
        return carrying(f"{METADATA_VARIABLE}={self._environment.get(METADATA_VARIABLE)}")

    async def _join(self, group: int) -> None:
        self._beside.add(group)
        await self._guardian.watch(group)

    async def _leave(self, group: int) -> None:
        if group in self._beside:
            self._beside.discard(group)
            await self._guardian.forget(group)


class _TerminalBeside:
    """A terminal whose process group is the container's for as long as it is open."""

    def __init__(self, terminal: Terminal, left: Callable[[], Awaitable[None]]) -> None:
        self.read, self.write, self.resize = terminal.read, terminal.write, terminal.resize
        self._terminal = terminal
        self._left = left

    async def close(self) -> None:
        await self._terminal.close()
        await self._left()


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says EPERM of a group of zombies
        os.killpg(group, signal.SIGKILL)


def _exit_code(returncode: int) -> int:
    return 128 - returncode if returncode < 0 else returncode


def _why(error: OSError) -> str:
    return "executable file not found in $PATH" if isinstance(error, FileNotFoundError) else str(error.strerror).lower()
