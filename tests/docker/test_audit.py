"""kit audit finds what a killed run left in the engine, and touches nothing else."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from aiodocker import Docker

from emulation.ecs.docker.engine import Engine
from kit.audit.ledger import Noted
from kit.audit.place import Runs
from kit.audit.places.engine import TOKEN, EngineThings
from tests.support.engine import BASE


@pytest_asyncio.fixture
async def engine() -> AsyncIterator[Docker]:
    opened = await Engine.open()
    yield opened.client
    await opened.close()


def noted(token: str, *, over: bool, **facts: object) -> Noted:
    return Noted(Path("note"), {"token": token, "run": "r1", **facts}, over)


async def plant(engine: Docker, token: str) -> str:
    """A container with a volume on a network, of the run with this token; returns their common name."""
    name, labels = f"planted-{token}", {TOKEN: token}
    await engine.networks.create({"Name": name, "Labels": labels})
    await engine.volumes.create({"Name": name, "Labels": labels})
    mounts = [{"Type": "volume", "Source": name, "Target": "/v"}]
    host = {"NetworkMode": name, "Mounts": mounts}
    made = await engine.containers.create(
        {"Image": BASE, "Cmd": ["sleep", "60"], "Labels": labels, "HostConfig": host}, name=name
    )
    await made.start()
    return name


async def test_of_a_dead_run_everything_goes_and_of_others_nothing(engine: Docker) -> None:
    mine, alive, unknown = (uuid.uuid4().hex for _ in range(3))
    await asyncio.gather(*(plant(engine, token) for token in (mine, alive, unknown)))
    place = EngineThings()
    runs = Runs([noted(mine, over=True, engine=True)], [noted(alive, over=False, engine=True)])
    try:
        found = await place.look(runs)
        assert sorted(one.what.partition(" ")[0] for one in found) == ["container", "network", "volume"]
        done = await place.clean(found, 0)
        assert set(done.values()) == {"removed"}
        assert await place.look(runs) == []
        doubtful = {one.token for one in await place.doubtful(runs)}
        assert unknown in doubtful
        assert not doubtful & {mine, alive}
    finally:
        left = Runs([noted(token, over=True, engine=True) for token in (mine, alive, unknown)])
        await place.clean(await place.look(left), 0)


async def test_a_run_without_containers_does_not_ask_the_engine() -> None:
    assert await EngineThings().look(Runs([noted("t", over=True)])) == []
