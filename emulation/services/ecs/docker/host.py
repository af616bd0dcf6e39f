"""A run's place in the engine: its network, its way back to this machine, its labels; and the end of it all.

container --host.docker.internal--> bridge of the run's network --> gateway, load balancers     (Linux)
          --host.docker.internal--> the engine's own way --> this machine's loopback      (Docker Desktop)
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import aiohttp
from aiodocker import Docker, DockerError

from ....container_engine import rootless, sweep
from ....container_engine.engine import Engine, EngineUnusable
from ....container_engine.labels import Owner
from ....core.addressing import Addressing
from ....core.controller import Context, Handler, Operation, Watcher
from ....time.clock import Clock
from ..runtime import CannotPull
from . import engine_config, pause
from .runtime import DockerRuntime
from .volumes import Volumes

SWEEPER = Path(sweep.__file__)


class Guardian(Protocol):
    """Runs a program should the cloud be killed."""

    async def afterwards(self, argv: list[str]) -> None: ...


class DockerHost:
    """A `Controller`, started before all that use it and stopped after them."""

    def __init__(
        self,
        ctx: Context,
        guardian: Guardian,
        addressing: Addressing,
        images: Mapping[str, str],
        *,
        listen: Callable[[], Awaitable[None]],
        volume_mib: int = 0,
    ) -> None:
        """`listen` lets the gateway listen wherever `reach` says. `volume_mib` is what a file system holds, 0 for as
        much as the engine's disk."""
        self.run = f"kit-{ctx.ids.hex(12)}"
        self.network = self.run
        self.this_machine = "host-gateway"
        self.labels: dict[str, str] = {}
        self.runtime = DockerRuntime(self, images)
        self.volumes = Volumes(self, volume_mib)
        self.engine: Engine
        self._ctx = ctx
        self._guardian = guardian
        self._addressing = addressing
        self._listen = listen
        self._pause = asyncio.Lock()
        self._pause_image: str | None = None
        self._opened = False

    @property
    def client(self) -> Docker:
        return self.engine.client

    @property
    def scale(self) -> float:
        """AWS seconds in a second of this machine."""
        return self._ctx.clock.scale

    def handlers(self) -> Mapping[Operation, Handler]:
        return {}

    def watchers(self) -> Mapping[Operation, Watcher]:
        return {}

    def routes(self) -> Mapping[str, Callable[[], Awaitable[Any]]]:
        return {"engine": self._tell}

    async def start(self) -> None:
        """Raises `EngineUnusable` when there is no engine, or it cannot make a network; `CannotPull` becomes a
        ValueError: an image that is not to be had is told before anything is built on it."""
        self.engine = await Engine.open()
        self._opened = True
        self.labels = Owner.this_process(self.run, _wall(self._ctx.clock)).labels()
        await self._guardian.afterwards([sys.executable, "-I", "-S", str(SWEEPER), self.engine.address, self.run])
        try:
            await self.runtime.check_images()
        except CannotPull as error:
            raise ValueError(f"CannotPullContainerError: {error}") from error
        await self._make_network()
        await self._listen()

    async def stop(self) -> None:
        """Remove everything of the run, also what was not known to be there. Does not raise."""
        if not self._opened:
            return
        try:
            await self._remove_all()
        except (DockerError, aiohttp.ClientError, OSError) as error:
            self._ctx.log.error("the engine does not say what is left of %s: %s", self.run, error)
        await self.engine.close()

    def inside(self, text: str) -> str:
        """A text with places of this machine, as a container reads it."""
        return self._addressing.for_container(text, engine_config.INSIDE)

    async def pause_image(self) -> str:
        """The image that only waits, made by now. Raises `DockerError`."""
        async with self._pause:
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
        """Raises `DockerError`, when it is in use for example."""
        await (await self.client.volumes.get(name)).delete()

    async def _make_network(self) -> None:
        config = {"Name": self.network, "Driver": "bridge", "CheckDuplicate": True, "Labels": self.labels}
        try:
            made = await self.client.networks.create(config)
            gateway = (await made.show())["IPAM"]["Config"][0].get("Gateway", "").partition("/")[0]
            if not _is_of_this_machine(gateway) and not self.engine.remote:
                await self._keep_bridge()
        except (DockerError, aiohttp.ClientError) as error:
            message = getattr(error, "message", str(error))
            hint = ""
            if "address pool" in message:
                hint = (
                    ": other runs or projects hold all of the engine's networks; see docker network ls, and kit audit"
                )
            raise EngineUnusable(f"the container engine makes no network: {message}{hint}") from error
        if self.engine.rootless:  # its bridges are elsewhere, even where another engine has one of the same address
            self.this_machine = await rootless.this_machine(self.engine)
        elif _is_of_this_machine(gateway):
            self._addressing.bridge = self.this_machine = gateway

    async def _keep_bridge(self) -> None:
        """podman makes a bridge for the first container on it, and takes it away with the last."""
        config: dict[str, Any] = {
            "Image": await self.pause_image(),
            "Labels": self.labels,
            "HostConfig": {"NetworkMode": self.network, "LogConfig": {"Type": "none"}},
        }
        await (await self.client.containers.create(config, name=f"{self.run}-bridge")).start()

    async def _remove_all(self) -> None:
        client = self.client
        filters = {"label": [f"{sweep.RUN}={self.run}"]}
        containers = await client.containers.list(all=True, filters=json.dumps(filters))
        await asyncio.gather(*(self._removed("container", each.delete(force=True, v=True)) for each in containers))
        volumes = (await client.volumes.list(filters=filters))["Volumes"] or ()
        for name in sorted((each["Name"] for each in volumes), key=len, reverse=True):  # a directory's before the whole
            await self._removed(f"volume {name}", self.remove_volume(name))
        for each in await client.networks.list(filters=filters):
            await self._removed(f"network {each['Name']}", (await client.networks.get(each["Id"])).delete())
        for each in await client.images.list(filters=filters):
            await self._removed(f"image {each['Id']}", client.images.delete(each["Id"], force=True))

    async def _removed(self, what: str, removal: Awaitable[Any]) -> None:
        try:
            await removal
        except (DockerError, aiohttp.ClientError) as error:
            if getattr(error, "status", None) != 404:
                self._ctx.log.error("%s is left in the engine: %s", what, error)

    async def _tell(self) -> Any:
        return {
            "address": self.engine.address,
            "run": self.run,
            "network": self.network,
            "reach": self._addressing.shared_host,
        }


def _wall(clock: Clock) -> float:
    return clock.origin + clock.wall(clock.now() - clock.origin)


def _is_of_this_machine(address: str) -> bool:
    """Whether a server of this machine can listen there: not where the engine runs in a virtual machine."""
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.bind((address, 0))
        return bool(address)
    return False
