"""A container engine for tests: the Docker runtime, with an image that is a shell."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiodocker import Docker

from tests.support.runtime_conformance import SHELL
from webordinary_testkit.emulation.core.addressing import Addressing
from webordinary_testkit.emulation.core.controller import Context, Events
from webordinary_testkit.emulation.core.ids import Ids
from webordinary_testkit.emulation.services.ecs.docker import DockerHost
from webordinary_testkit.emulation.time.clock import Clock

BASE = os.environ.get("KIT_TEST_BASE_IMAGE", "webordinary/base:test")
"""Has a shell, grep and Python."""


class NoGuardian:
    """A guardian that only records its orders."""

    def __init__(self) -> None:
        self.programs: list[list[str]] = []

    async def afterwards(self, argv: list[str]) -> None:
        self.programs.append(argv)


@dataclass(frozen=True)
class EngineRun:
    """A run in the engine."""

    host: DockerHost
    guardian: NoGuardian
    addressing: Addressing

    @property
    def client(self) -> Docker:
        return self.host.client

    async def left(self) -> list[str]:
        """This run's resources in the engine now."""
        return await left(self.host.run)

    async def image(self, tag: str, **changes: Any) -> str:
        """An image made of the base with another configuration, gone with the run."""
        config = {"Image": BASE, "Labels": self.host.labels, **changes}
        container = await self.client.containers.create(config)
        repository, _, version = f"{self.host.run}-{tag}".rpartition(":")
        await container.commit(repository=repository, tag=version, config={})  # podman wants a body
        await container.delete(force=True, v=True)
        return f"{repository}:{version}"


def context(workdir: Path, scale: float = 60) -> Context:
    """A context without a cloud: the engine's parts call no AWS."""
    unused: Any = None
    return Context(Clock(scale=scale), Ids(), unused, unused, Events(), "us-west-2", "123456789012", workdir, str)


@asynccontextmanager
async def bed(workdir: Path, images: Mapping[str, str] | None = None, *, scale: float = 60) -> AsyncIterator[EngineRun]:
    """Its runtime knows the image SHELL, whose program is `/bin/sh -c`. Everything is gone at the end."""
    guardian, addressing, known = NoGuardian(), Addressing(), dict(images or {})

    async def listen() -> None:
        return None

    host = DockerHost(context(workdir, scale), guardian, addressing, known, listen=listen)
    try:
        await host.start()
        made = EngineRun(host, guardian, addressing)
        known[SHELL] = await made.image("shell:1", Entrypoint=["/bin/sh", "-c"])
        yield made
    finally:
        await host.stop()


async def left(run: str) -> list[str]:
    """Everything with a run's label, as `kind name`."""
    from webordinary_testkit.emulation.container_engine import sweep
    from webordinary_testkit.emulation.container_engine.engine import Engine

    engine = await Engine.open()
    await engine.close()
    found = await asyncio.to_thread(sweep.find, engine.address, f"{sweep.RUN}={run}")
    return [f"{item['kind']} {item['name']}" for item in found]
