"""One container of the engine, from its creation to its removal."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
from aiodocker import DockerError
from aiodocker.containers import DockerContainer

from ....container_engine.engine import Engine
from ..runtime import CannotStart, Output
from . import commands
from .memory import held

if TYPE_CHECKING:
    from ..exec.terminal import Terminal

_GONE = (404, 409)
"""The engine's answers about a container that is not there, or does not run, any more."""
_NO_SPACE = "no space left on device"


@dataclass(frozen=True)
class ContainerResources:
    """What can be taken from a container."""

    cpus: float
    """Its limit, in CPUs of this machine."""
    network: str
    holder: str = ""
    """The container whose network it uses; its own when empty."""


class EngineContainer:
    """A `Running`, and `Contained`. `start` once; `remove` at the end."""

    def __init__(
        self,
        engine: Engine,
        container: DockerContainer,
        output: Output,
        belongings: ContainerResources,
        *,
        exec_user: str,
    ) -> None:
        self.id: str = container.id
        self._engine = engine
        self._belongings = belongings
        self._container = container
        self._output = output
        self._exec_user = exec_user
        self._marks = (f"{self.id[:12]}-{number}" for number in itertools.count())
        self._ended = False
        self._out_of_memory = self._too_much_together = False
        self._order = asyncio.Lock()
        """What it is told, it is told one after the other."""
        self._telling: set[asyncio.Task[None]] = set()
        self._over: asyncio.Task[int]

    @property
    def alive(self) -> bool:
        return not self._ended

    @property
    def out_of_memory(self) -> bool:
        return self._out_of_memory

    async def start(self) -> None:
        """Raises `CannotStart`; the container is removed then."""
        stream = self._container.attach(stdout=True, stderr=True)
        try:
            await stream._init()  # before it starts, so that its first words are heard
            await self._container.start()
        except (DockerError, aiohttp.ClientError) as error:
            await stream.close()
            self._ended = True
            await self.remove()
            raise CannotStart(why(error)) from error
        self._over = asyncio.create_task(self._follow(stream))

    def signal(self, number: signal.Signals) -> None:
        self._tell(lambda: self._container.kill(signal=number.name))

    def kill(self) -> None:
        self._tell(lambda: self._container.kill(signal="SIGKILL"))

    def kill_for_memory(self) -> None:
        """As the kernel does when a task's containers use more than the task has."""
        self._too_much_together = True
        self.kill()

    async def memory(self) -> AsyncIterator[int]:
        """Bytes that its processes hold, about once a second until it has ended."""
        with contextlib.suppress(DockerError, aiohttp.ClientError):  # removed
            async for sample in self._container.stats():
                if self._ended:
                    return
                yield held(sample)

    def pause(self) -> None:
        self._tell(self._container.pause)

    def resume(self) -> None:
        self._tell(self._container.unpause)

    async def wait(self) -> int:
        return await asyncio.shield(self._over)

    async def run(self, argv: Sequence[str]) -> int:
        return await commands.run(self._container, argv, next(self._marks))

    async def terminal(self, argv: Sequence[str]) -> Terminal:
        return await commands.ExecTerminal.start(self._container, argv, next(self._marks), user=self._exec_user)

    async def allow_cpus(self, cpus: float | None) -> None:
        allowed = self._belongings.cpus if cpus is None else cpus
        await self._ask(lambda: self._engine.limit_cpus(self.id, allowed))

    async def unplug(self) -> None:
        await self._plug("disconnect", {"Force": True})

    async def plug_in(self) -> None:
        await self._plug("connect", {})

    async def remove(self) -> None:
        """Kill it if it runs, and remove it with the volumes that only it had."""
        if hasattr(self, "_over"):
            with contextlib.suppress(DockerError, aiohttp.ClientError):
                if not self._ended:  # killed and removed in one, podman tells that it ended with 0
                    await self._container.kill(signal="SIGKILL")
                    await asyncio.wait({self._over})
        with contextlib.suppress(DockerError, aiohttp.ClientError):
            await self._container.delete(force=True, v=True)
        if hasattr(self, "_over"):
            await asyncio.wait({self._over})

    async def _plug(self, verb: str, how: dict[str, Any]) -> None:
        body = {"Container": self._belongings.holder or self.id, **how}

        async def plugged() -> None:
            network = await self._engine.client.networks.get(self._belongings.network)
            await getattr(network, verb)(body)

        await self._ask(plugged)

    async def _ask(self, call: Callable[[], Awaitable[Any]]) -> None:
        """As `_tell`, and hear what comes of it. Raises `OSError`."""
        async with self._order:
            if self._ended:
                return
            try:
                await call()
            except (DockerError, aiohttp.ClientError) as error:
                if not self._ended and getattr(error, "status", None) not in _GONE and not _as_wanted(error):
                    raise OSError(why(error)) from error

    def _tell(self, call: Callable[[], Awaitable[Any]]) -> None:
        if self._ended:
            return

        async def told() -> None:
            async with self._order:
                if not self._ended:
                    with contextlib.suppress(DockerError, aiohttp.ClientError):  # it has ended meanwhile
                        await call()

        telling = asyncio.create_task(told())
        self._telling.add(telling)
        telling.add_done_callback(self._telling.discard)

    async def _follow(self, stream: Any) -> int:
        async def read() -> None:
            while (message := await stream.read_out()) is not None:
                await self._output(message.data)

        reading = asyncio.create_task(read())
        try:
            code = int((await self._container.wait())["StatusCode"])
        finally:
            self._ended = True
            await asyncio.wait({reading})  # the engine closes it when all has been delivered
            await stream.close()
        if code == 128 + signal.SIGKILL:
            with contextlib.suppress(DockerError, aiohttp.ClientError):  # removed already
                self._out_of_memory = bool((await self._container.show())["State"]["OOMKilled"])
            self._out_of_memory |= self._too_much_together
        return code


def _as_wanted(error: BaseException) -> bool:
    """Whether the engine only says that a container is connected, or is not, already."""
    text = str(getattr(error, "message", error))
    return any(words in text for words in ("is not connected to", "already exists in network", "already connected to"))


def why(error: BaseException) -> str:
    """What kept a container from starting, without the engine's wrapping."""
    text = str(getattr(error, "message", error)).strip()
    for wrapping in ("unable to start container process: ", "starting container process caused: "):
        text = text.rpartition(wrapping)[2]
    text = text.removesuffix(": unknown")
    if _NO_SPACE in text:
        return (
            f"{text}. The disk of the container engine is full: make room there (docker system df shows what takes it)"
        )
    if "port is already allocated" in text or "address already in use" in text:
        return f"{text}. Another program took the port while the task started: the next task gets another one"
    return text
