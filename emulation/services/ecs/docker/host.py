"""Sets up a run in the container engine (network, labels, address of this machine) and removes it at the end.

container --host.docker.internal--> bridge of the run's network --> gateway, load balancers     (Linux)
          --host.docker.internal--> the engine's forwarding --> this machine's loopback   (Docker Desktop)
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

from ....container_engine import rootless, sweep
from ....container_engine.engine import Engine, EngineUnusable
from ....container_engine.labels import Owner
from ....core.addressing import Addressing
from ....core.controller import Context
from ...controller_base import ControllerBase
from ..runtime import CannotPull
from .engine_run import ENGINE_ERRORS, EngineRun
from .runtime import DockerRuntime
from .volumes import Volumes

SWEEPER = Path(sweep.__file__)
_NO_NETWORK_LEFT = ": other runs or projects hold all of the engine's networks; see docker network ls, and kit audit"


class Guardian(Protocol):
    """Runs a program if the cloud is killed."""

    async def afterwards(self, argv: list[str]) -> None: ...


class DockerHost(EngineRun, ControllerBase):
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
        """`listen` opens the gateway at all of `addressing`'s addresses. `volume_mib` is the size of a file system; 0
        for the size of the engine's disk."""
        super().__init__(ctx, addressing)
        self.runtime = DockerRuntime(self, images)
        self.volumes = Volumes(self, volume_mib)
        self._guardian = guardian
        self._listen = listen
        self._opened = False

    def routes(self) -> Mapping[str, Callable[[], Awaitable[Any]]]:
        return {"engine": self._status}

    async def start(self) -> None:
        """Raises `EngineUnusable` without an engine or a network, and `ValueError` for an image that cannot be pulled:
        before anything uses it."""
        self.engine = await Engine.open()
        self._opened = True
        clock = self._ctx.clock
        wall_time = clock.wall_now()
        self.labels = Owner.this_process(self.run, wall_time).labels()
        await self._guardian.afterwards([sys.executable, "-I", "-S", str(SWEEPER), self.engine.address, self.run])
        try:
            await self.runtime.images.check()
        except CannotPull as error:
            raise ValueError(f"CannotPullContainerError: {error}") from error
        await self._make_network()
        await self._listen()

    async def stop(self) -> None:
        """Remove everything with the run's label. Does not raise."""
        if not self._opened:
            return
        try:
            await self._remove_all()
        except (*ENGINE_ERRORS, OSError) as error:
            self._ctx.log.error("the engine cannot list what is left of %s: %s", self.run, error)
        await self.engine.close()

    async def _make_network(self) -> None:
        config = {"Name": self.network, "Driver": "bridge", "CheckDuplicate": True, "Labels": self.labels}
        try:
            made = await self.client.networks.create(config)
            gateway = (await made.show())["IPAM"]["Config"][0].get("Gateway", "").partition("/")[0]
            if not _is_of_this_machine(gateway) and not self.engine.remote:
                await self._keep_bridge()
        except ENGINE_ERRORS as error:
            message = getattr(error, "message", str(error))
            hint = _NO_NETWORK_LEFT if "address pool" in message else ""
            raise EngineUnusable(f"the container engine cannot create a network: {message}{hint}") from error
        if self.engine.rootless:  # its bridges are in another network namespace, even if an address here is the same
            self.this_machine = await rootless.this_machine(self.engine)
        elif _is_of_this_machine(gateway):
            self._addressing.bridge = self.this_machine = gateway

    async def _keep_bridge(self) -> None:
        """podman creates a bridge with the first container on it and removes it with the last."""
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
        for name in sorted((each["Name"] for each in volumes), key=len, reverse=True):  # volumes of directories first
            await self._removed(f"volume {name}", self.remove_volume(name))
        for each in await client.networks.list(filters=filters):
            await self._removed(f"network {each['Name']}", (await client.networks.get(each["Id"])).delete())
        for each in await client.images.list(filters=filters):
            await self._removed(f"image {each['Id']}", client.images.delete(each["Id"], force=True))

    async def _removed(self, what: str, removal: Awaitable[Any]) -> None:
        try:
            await removal
        except ENGINE_ERRORS as error:
            if getattr(error, "status", None) != 404:
                self._ctx.log.error("%s is left in the engine: %s", what, error)

    async def _status(self) -> Any:
        return {
            "address": self.engine.address,
            "run": self.run,
            "network": self.network,
            "reach": self._addressing.shared_host,
        }


def _is_of_this_machine(address: str) -> bool:
    """Whether a server of this machine can listen there; false if the engine runs in a virtual machine."""
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.bind((address, 0))
        return bool(address)
    return False
