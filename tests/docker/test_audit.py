"""kit audit finds what a killed run left in the engine, and touches nothing else."""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import pytest_asyncio
from aiodocker import Docker

from tests.support.engine import BASE
from webordinary_testkit.emulation.container_engine.engine import Engine
from webordinary_testkit.emulation.container_engine.labels import Owner
from webordinary_testkit.kit.audit.collector import Runs
from webordinary_testkit.kit.audit.collectors.engine import RUN, TOKEN, EngineResources
from webordinary_testkit.kit.audit.notes import NotedRun
from webordinary_testkit.kit.images.address import address


@pytest_asyncio.fixture
async def engine() -> AsyncIterator[Docker]:
    opened = await Engine.open()
    yield opened.client
    await opened.close()


ENGINE = asdict(address())
"""As a run notes the engine in use."""


def noted(token: str, *, over: bool, **facts: object) -> NotedRun:
    return NotedRun(Path("note"), {"token": token, "run": "r1", **facts}, over)


async def plant(engine: Docker, token: str, **owner: str) -> str:
    """A container with a volume on a network, of the run with this token; returns their common name."""
    name, labels = f"planted-{token}", {RUN: "kit-planted", TOKEN: token, **owner}
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
    collector = EngineResources()
    runs = Runs([noted(mine, over=True, engine=ENGINE)], [noted(alive, over=False, engine=ENGINE)])
    try:
        found = await collector.look(runs)
        assert sorted(one.what.partition(" ")[0] for one in found) == ["container", "network", "volume"]
        done = await collector.clean(found, 0)
        assert set(done.values()) == {"removed"}
        assert await collector.look(runs) == []
        doubtful = {one.token for one in await collector.doubtful(runs)}
        assert unknown in doubtful
        assert not doubtful & {mine, alive}
    finally:
        left = Runs([noted(token, over=True, engine=ENGINE) for token in (mine, alive, unknown)])
        await collector.clean(await collector.look(left), 0)


async def test_a_run_is_looked_for_where_it_was_whichever_engine_is_in_use_now(
    engine: Docker, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = uuid.uuid4().hex
    await plant(engine, token)
    collector, runs = EngineResources(), Runs([noted(token, over=True, engine=ENGINE)])
    try:
        with monkeypatch.context() as moved:
            moved.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
            found = await collector.look(runs)
            assert len(found) == 3
            await collector.clean(found, 0)
            assert await collector.look(runs) == []
    finally:
        await collector.clean(await collector.look(runs), 0)


async def test_what_no_note_here_has_is_reported_by_its_owner_and_stays(engine: Docker) -> None:
    at_work, gone = uuid.uuid4().hex, uuid.uuid4().hex
    owner = Owner.this_process("kit-planted", time.time())
    await plant(engine, at_work, **replace(owner, token=at_work).labels())
    await plant(engine, gone, **replace(owner, token=gone, birth="earlier").labels())
    collector = EngineResources()
    try:
        reported = [one for one in await collector.doubtful(Runs([])) if one.token in (at_work, gone)]
        assert {one.token for one in reported} == {gone}
        assert len(reported) == 3
        assert all(f"whose process {os.getpid()} is gone" in one.what for one in reported)
        assert f"by hand: docker rm -f -v planted-{gone}" in " ".join(one.what for one in reported)
    finally:
        left = Runs([noted(token, over=True, engine=ENGINE) for token in (at_work, gone)])
        await collector.clean(await collector.look(left), 0)


async def test_a_run_without_containers_does_not_ask_the_engine() -> None:
    assert await EngineResources().look(Runs([noted("t", over=True)])) == []
