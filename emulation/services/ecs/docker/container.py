"""A container of the engine: start, signals, output, faults, removal."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiodocker.containers import DockerContainer

from ....container_engine.engine import Engine
from ..runtime import CannotStart, Output
from . import commands
from .engine_run import ENGINE_ERRORS, why

if TYPE_CHECKING:
    from ..exec.terminal import Terminal

_GONE = (404, 409)
"""The engine's status codes for a container that is removed or no longer running."""


@dataclass(frozen=True)
class ContainerResources:
    """What faults can take from a container."""

    cpus: float
    """Its limit, in CPUs of this machine."""
    network: str
    holder: str = ""
    """The container whose network it shares; empty for none."""


class EngineContainer:
    """A `Running`, and `Contained`. `start` once; `remove` at the end."""

    def __init__(
        self,
        engine: Engine,
        container: DockerContainer,
        output: Output,
        resources: ContainerResources,
        *,
        exec_user: str,
    ) -> None:
        self.id: str = container.id
        self._engine = engine
        self._resources = resources
        self._container = container
        self._output = output
        self._exec_user = exec_user
        self._marks = (f"{self.id[:12]}-{number}" for number in itertools.count())
        self._ended = False
        self._out_of_memory = self._task_out_of_memory = False
        self._call_lock = asyncio.Lock()
        """Serializes the calls about this container."""
        self._calls: set[asyncio.Task[None]] = set()
        self._over: asyncio.Task[int]

    @property
    def alive(self) -> bool:
        return not self._ended

    @property
    def out_of_memory(self) -> bool:
        return self._out_of_memory

    async def start(self) -> None:
        """Raises `CannotStart` after removing the container."""
        stream = self._container.attach(stdout=True, stderr=True)
        try:
            await stream._init()  # before the start, so that no output is lost
            await self._container.start()
        except ENGINE_ERRORS as error:
            await stream.close()
            self._ended = True
            await self.remove()
            raise CannotStart(why(error)) from error
        self._over = asyncio.create_task(self._follow(stream))

    def signal(self, number: signal.Signals) -> None:
        self._send(lambda: self._container.kill(signal=number.name))

    def kill(self) -> None:
        self._send(lambda: self._container.kill(signal="SIGKILL"))

    def kill_for_memory(self) -> None:
        """Kill it as the kernel does when the task's containers exceed the task's memory."""
        self._task_out_of_memory = True
        self.kill()

    async def memory(self) -> AsyncIterator[int]:
        """Bytes that its processes hold, about once a second until it ends."""
        with contextlib.suppress(*ENGINE_ERRORS):  # removed
            async for sample in self._container.stats():
                if self._ended:
                    return
                yield held_memory(sample)

    def pause(self) -> None:
        self._send(self._container.pause)

    def resume(self) -> None:
        self._send(self._container.unpause)

    async def wait(self) -> int:
        return await asyncio.shield(self._over)

    async def run(self, argv: Sequence[str]) -> int:
        return await commands.run(self._container, argv, next(self._marks))

    async def terminal(self, argv: Sequence[str]) -> Terminal:
        return await commands.ExecTerminal.start(self._container, argv, next(self._marks), user=self._exec_user)

    async def allow_cpus(self, cpus: float | None) -> None:
        allowed = self._resources.cpus if cpus is None else cpus
        await self._ask(lambda: self._engine.limit_cpus(self.id, allowed))

    async def unplug(self) -> None:
        await self._plug("disconnect", {"Force": True})

    async def plug_in(self) -> None:
        await self._plug("connect", {})

    async def remove(self) -> None:
        """Kill it if it runs, and remove it with its anonymous volumes."""
        if hasattr(self, "_over"):
            with contextlib.suppress(*ENGINE_ERRORS):
                if not self._ended:  # podman reports exit code 0 when kill and removal are one call
                    await self._container.kill(signal="SIGKILL")
                    await asyncio.wait({self._over})
        with contextlib.suppress(*ENGINE_ERRORS):
            await self._container.delete(force=True, v=True)
        if hasattr(self, "_over"):
            await asyncio.wait({self._over})

    async def _plug(self, verb: str, how: dict[str, Any]) -> None:
        body = {"Container": self._resources.holder or self.id, **how}

        async def plugged() -> None:
            network = await self._engine.client.networks.get(self._resources.network)
            await getattr(network, verb)(body)

        await self._ask(plugged)

    async def _ask(self, call: Callable[[], Awaitable[Any]]) -> None:
        """Call the engine; nothing happens after the container has ended. Raises `OSError`."""
        async with self._call_lock:
            if self._ended:
                return
            try:
                await call()
            except ENGINE_ERRORS as error:
                if not self._ended and getattr(error, "status", None) not in _GONE and not _already_done(error):
                    raise OSError(why(error)) from error

    def _send(self, call: Callable[[], Awaitable[Any]]) -> None:
        if self._ended:
            return

        async def run() -> None:
            async with self._call_lock:
                if not self._ended:
                    with contextlib.suppress(*ENGINE_ERRORS):  # it has ended
                        await call()

        call_task = asyncio.create_task(run())
        self._calls.add(call_task)
        call_task.add_done_callback(self._calls.discard)

    async def _follow(self, stream: Any) -> int:
        async def read() -> None:
            while (message := await stream.read_out()) is not None:
                await self._output(message.data)

        reading = asyncio.create_task(read())
        try:
            code = int((await self._container.wait())["StatusCode"])
        finally:
            self._ended = True
            await asyncio.wait({reading})  # the engine closes the stream after the last output
            await stream.close()
        if code == 128 + signal.SIGKILL:
            with contextlib.suppress(*ENGINE_ERRORS):  # removed already
                self._out_of_memory = bool((await self._container.show())["State"]["OOMKilled"])
            self._out_of_memory |= self._task_out_of_memory
        return code


def _already_done(error: BaseException) -> bool:
    """Whether the engine reports that the container is already connected, or already disconnected."""
    text = str(getattr(error, "message", error))
    return any(words in text for words in ("is not connected to", "already exists in network", "already connected to"))


def held_memory(stats: Mapping[str, Any]) -> int:
    """Bytes that the processes of a container hold, without the page cache, from the engine's statistics."""
    details = stats.get("memory_stats", {}).get("stats", {})
    return int(details.get("anon", details.get("total_rss", 0)))
