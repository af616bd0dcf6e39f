"""The process runtime: a container is a program of this machine in a new process group.

A process has no file system, network address, memory and CPU limits or read-only mounts. Its container port becomes a
port on 127.0.0.1, passed in PORT; paths of its mounts become the real folders.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ...core.run_token import run_variables
from ...time.clock import Clock, ReservedSlot
from .ports import Ports
from .process_table import signal_by_environment, usage_by_group
from .runtime import METADATA_VARIABLE, CannotPull, CannotStart, ContainerSpec, Output, Sandbox, TaskSpec, Usage
from .translation import Translation
from .warm import Forked, ForkServer

if TYPE_CHECKING:
    from .exec.terminal import Terminal

_ADDRESS = "127.0.0.1"
_CHUNK = 65_536
_LAST_OUTPUT = 1.0
"""Wall seconds of silence after which the output is closed, even if a stray process still holds it open."""


class Guardian(Protocol):
    """Kills the process groups it watches if the cloud is killed."""

    async def watch(self, pgid: int) -> None: ...

    async def forget(self, pgid: int) -> None: ...


class ProcessRuntime:
    """A `Runtime` of local processes."""

    def __init__(
        self,
        programs: Mapping[str, Sequence[str]],
        guardian: Guardian,
        clock: Clock,
        forks: ForkServer | None = None,
    ) -> None:
        """`forks` starts the programs that it takes; all others are started by `exec`."""
        self._programs = programs
        self._clock = clock
        self._forks = forks
        self._guardian = guardian
        self._ports = Ports()
        self._containers: dict[str, dict[str, _Process]] = {}

    async def prepare(self, task: TaskSpec) -> Sandbox:
        self._containers[task.id] = {}
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
        for folder in (home / "tmp", directory):
            folder.mkdir(parents=True, exist_ok=True)
        environment = _environment(container, sandbox, translation, home)
        slot = self._clock.reserve(f"container {container.name}")
        if slot is not None:
            environment = {**environment, **slot.environment()}
        process = _Process(self._guardian, environment, directory, translation, output, self._forks, slot)
        await process.start([translation.value(word) for word in argv])
        self._containers[sandbox.task.id][container.name] = process
        return process

    async def usage(self) -> Mapping[tuple[str, str], Usage]:
        running = {
            (task, name): process.group
            for task, containers in self._containers.items()
            for name, process in containers.items()
            if process.alive
        }
        used = usage_by_group(set(running.values()))
        return {key: used[group] for key, group in running.items() if group in used}

    async def release(self, sandbox: Sandbox) -> None:
        for process in self._containers.pop(sandbox.task.id, {}).values():
            process.kill()
            await process.wait()
        for port in sandbox.ports.values():
            self._ports.give_back(port)


def _environment(container: ContainerSpec, sandbox: Sandbox, translation: Translation, home: Path) -> Mapping[str, str]:
    """The process's whole environment; of the developer's only LANG and PATH."""
    translated = {name: translation.value(value) for name, value in container.environment.items()}
    environment = {"LANG": os.environ.get("LANG", "C.UTF-8"), **translated, **run_variables()}
    # These describe the container's file system, which a process does not have.
    environment |= {"HOME": str(home), "TMPDIR": str(home / "tmp"), "PATH": os.environ.get("PATH", os.defpath)}
    for port, real in sandbox.ports.items():
        environment[f"PORT_{port}"] = str(real)
    main = environment.get("PORT", "")
    listens_on = int(main) if main.isdigit() and int(main) in sandbox.ports else next(iter(container.ports), None)
    if listens_on is not None:
        environment["PORT"] = str(sandbox.ports[listens_on])
    return environment


@dataclass(eq=False)
class _Process:
    """One container: the process group of its program, and those of commands run in it."""

    guardian: Guardian
    environment: Mapping[str, str]
    directory: Path
    translation: Translation
    output: Output
    forks: ForkServer | None = None
    slot: ReservedSlot | None = None
    """Of the clock, for its first process."""
    _command_groups: set[int] = field(default_factory=set)
    """Process groups of health checks and terminals."""
    _delivered: int = 0
    _leader: asyncio.subprocess.Process | Forked = field(init=False)
    _over: asyncio.Task[int] = field(init=False)

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
            if self.forks is not None and self.forks.takes(argv, self.environment):
                self._leader = await self.forks.spawn(
                    argv, out=writing, directory=self.directory, variables=self.environment
                )
            else:
                self._leader = await self._spawn(argv, writing)
        except OSError as error:
            os.close(reading)
            if self.slot is not None:
                self.slot.free()
            raise CannotStart(f'exec: "{argv[0]}": {_why(error)}') from error
        finally:
            os.close(writing)
        if self.slot is not None:
            self.slot.give_to(self._leader.pid)
        await self.guardian.watch(self.group)
        self._over = asyncio.create_task(self._follow(reading))

    def signal(self, number: signal.Signals) -> None:
        if self.alive:
            # Not by Popen's method: it polls the process, and may take its exit code from asyncio, which then reports
            # 255.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._leader.pid, number)

    def kill(self) -> None:
        if self.alive:
            _signal_group(self.group, signal.SIGKILL)

    def pause(self) -> None:
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal_all(signal.SIGCONT)

    async def wait(self) -> int:
        return await asyncio.shield(self._over)

    async def run(self, argv: Sequence[str]) -> int:
        try:
            command = await self._spawn([self.translation.text(word) for word in argv], asyncio.subprocess.DEVNULL)
        except OSError as error:
            return 127 if isinstance(error, FileNotFoundError) else 126
        await self._join(command.pid)
        try:
            return _exit_code(await command.wait())
        finally:
            _signal_group(command.pid, signal.SIGKILL)
            await self._leave(command.pid)

    async def terminal(self, argv: Sequence[str]) -> Terminal:
        from .exec.terminal import LocalTerminal  # noqa: PLC0415 - needs POSIX; only for ECS Exec

        terminal = await LocalTerminal.start(argv, environment=self.environment, directory=self.directory)
        await self._join(terminal.process_group)
        terminal.on_close = lambda: self._leave(terminal.process_group)
        return terminal

    async def _spawn(self, argv: Sequence[str], out: int) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd=self.directory,
            env=self.environment,
            start_new_session=True,
        )

    async def _follow(self, pipe: int) -> int:
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(pipe, "rb", 0)
        )
        reading = asyncio.create_task(self._read(reader))
        code = _exit_code(await self._leader.wait())
        if self.slot is not None:
            self.slot.free()
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
            await self.output(data)
            self._delivered += len(data)

    async def _end_rest(self) -> None:
        """Kill everything left of the container after its first process has ended."""
        for group in (self.group, *self._command_groups):
            _signal_group(group, signal.SIGKILL)
            await self.guardian.forget(group)
        self._command_groups.clear()
        self._signal_strays(signal.SIGKILL)

    def _signal_all(self, number: int) -> None:
        """Signal every process of the container, also those that left its groups."""
        if not self.alive:
            return
        for group in (self.group, *self._command_groups):
            _signal_group(group, number)
        self._signal_strays(number)

    def _signal_strays(self, number: int) -> None:
        if value := self.environment.get(METADATA_VARIABLE):
            signal_by_environment(METADATA_VARIABLE, value, number)

    async def _join(self, group: int) -> None:
        self._command_groups.add(group)
        await self.guardian.watch(group)

    async def _leave(self, group: int) -> None:
        if group in self._command_groups:
            self._command_groups.discard(group)
            await self.guardian.forget(group)


def _signal_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS raises EPERM for a group of zombies
        os.killpg(group, number)


def _exit_code(returncode: int) -> int:
    return 128 - returncode if returncode < 0 else returncode


def _why(error: OSError) -> str:
    return "executable file not found in $PATH" if isinstance(error, FileNotFoundError) else str(error.strerror).lower()
