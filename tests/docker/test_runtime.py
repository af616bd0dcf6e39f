"""The Docker runtime: it passes the runtimes' suite, and what only containers have is real."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from emulation.ecs.docker.runtime import DockerRuntime
from tests.support.engine import Bed, bed
from tests.support.runtime_conformance import RuntimeConformance


@pytest_asyncio.fixture
async def run(tmp_path_factory: object) -> AsyncIterator[Bed]:
    async with bed(Path()) as made:
        yield made


@pytest_asyncio.fixture
async def runtime(run: Bed) -> DockerRuntime:
    return run.host.runtime


class TestConformance(RuntimeConformance):
    pass
