"""The way from a rootless engine's containers back to this machine, by an engine that only calls or does not."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from aiodocker import DockerError

from webordinary_testkit.emulation.container_engine import rootless
from webordinary_testkit.emulation.container_engine.engine import EngineUnusable


class Closed:
    """An engine whose network keeps it from this machine."""

    address = "unix:///run/user/1000/docker.sock"

    async def import_image(self, url: str) -> str:
        raise DockerError(500, "connect: network is unreachable")


class Open(Closed):
    """An engine to which 10.0.2.2 is this machine."""

    async def import_image(self, url: str) -> str:
        here = f"http://127.0.0.1:{urlsplit(url).port}/"
        try:
            return str(await asyncio.to_thread(urlopen, here, timeout=5))
        except OSError as error:
            raise DockerError(500, str(error)) from error


async def test_an_open_way_is_taken() -> None:
    engine: Any = Open()
    assert await rootless.this_machine(engine) == "10.0.2.2"


async def test_a_closed_way_is_told_with_what_opens_it() -> None:
    engine: Any = Closed()
    with pytest.raises(EngineUnusable, match=r"network is unreachable.*--disable-host-loopback=false"):
        await rootless.this_machine(engine)
