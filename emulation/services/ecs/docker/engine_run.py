"""The parts of a run in the container engine that tasks, images and volumes share."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping

import aiohttp
from aiodocker import Docker, DockerError

from ....container_engine.engine import Engine
from ....core.addressing import Addressing
from ....core.controller import Context
from . import engine_config, pause

ENGINE_ERRORS = (DockerError, aiohttp.ClientError)
"""What a call to the engine raises."""
_NO_SPACE = "no space left on device"


class EngineRun:
    """The run's names and labels, its network, and its pause image. Usable once `engine` is set."""

    engine: Engine

    def __init__(self, ctx: Context, addressing: Addressing) -> None:
        self.run = f"kit-{ctx.ids.hex(12)}"
        self.network = self.run
        self.this_machine = "host-gateway"
        """The address of this machine in containers' /etc/hosts."""
        self.labels: dict[str, str] = {}
        self._ctx = ctx
        self._addressing = addressing
        self._pause_lock = asyncio.Lock()
        self._pause_image: str | None = None

    @property
    def client(self) -> Docker:
        return self.engine.client

    @property
    def scale(self) -> float:
        """AWS seconds in a wall second."""
        return self._ctx.clock.scale

    def for_container(self, text: str) -> str:
        """A text with loopback URLs rewritten for a container."""
        return self._addressing.for_container(text, engine_config.HOST_NAME)

    async def pause_image(self) -> str:
        """The tag of the pause image, which is built on first use. Raises `DockerError`."""
        async with self._pause_lock:
            if self._pause_image is None:
                tag = f"{self.run}-pause:1"
                try:
                    archive = pause.archive(tag, self.engine.architecture, self.labels)
                except ValueError as error:
                    raise DockerError(400, str(error)) from error
                await self.client.images.import_image(archive)
                self._pause_image = tag
        return self._pause_image

    async def create_volume(self, name: str, options: Mapping[str, str]) -> str:
        """Raises `DockerError`."""
        config = {"Name": name, "Driver": "local", "DriverOpts": dict(options), "Labels": self.labels}
        await self.client.volumes.create(config)
        return name

    async def remove_volume(self, name: str) -> None:
        """Raises `DockerError`, for example when it is in use."""
        await (await self.client.volumes.get(name)).delete()


@contextlib.contextmanager
def engine_errors_as(kind: type[Exception], context: str = "") -> Iterator[None]:
    """Turn errors of the engine into `kind`."""
    try:
        yield
    except ENGINE_ERRORS as error:
        raise kind(context + why(error)) from error


def why(error: BaseException) -> str:
    """The engine's error without its wrapping, with advice for a full disk and for a taken port."""
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
