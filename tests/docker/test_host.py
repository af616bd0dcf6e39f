"""A run's place in the engine: who may use the engine, and what is left when a cloud is killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiodocker import Docker, DockerError

from tests.support.engine import BASE, bed, left
from tests.support.runtime_conformance import bench, eventually
from webordinary_testkit.emulation.container_engine import sweep
from webordinary_testkit.emulation.container_engine.engine import Engine, EngineUnusable
from webordinary_testkit.emulation.container_engine.labels import BIRTH, PID, birth
from webordinary_testkit.kit.backends.emulated.admin_api import AdminApi


@pytest_asyncio.fixture
async def engine() -> AsyncIterator[Docker]:
    opened = await Engine.open()
    yield opened.client
    await opened.close()


@pytest.mark.parametrize(
    ("host", "says"),
    [
        (
            "unix:///nowhere/docker.sock",
            r"no container engine answers at unix:///nowhere/docker\.sock .*--runtime process",
        ),
        ("tcp://127.0.0.1:1", r"no container engine answers at tcp://127\.0\.0\.1:1 "),
        ("carrier-pigeon", "no container engine answers at|scheme"),
    ],
)
async def test_where_no_engine_is_it_is_said(host: str, says: str) -> None:
    with pytest.raises(EngineUnusable, match=says):
        await Engine.open({**os.environ, "DOCKER_HOST": host})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user without access to the socket")
def test_a_socket_one_may_not_use_is_said() -> None:
    program = (
        "import asyncio, os; from webordinary_testkit.emulation.container_engine.engine import Engine, EngineUnusable\n"
        "os.setuid(65534)\n"
        "try: asyncio.run(Engine.open())\n"
        "except EngineUnusable as error: print(error)"
    )
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as server:
        path = Path(folder, "docker.sock")
        server.bind(str(path))
        server.listen()
        path.parent.chmod(0o755)
        path.chmod(0o600)
        environ = {**os.environ, "DOCKER_HOST": f"unix://{path}"}
        argv = [sys.executable, "-c", program]
        said = subprocess.run(argv, env=environ, capture_output=True, text=True, check=False).stdout
    assert "no permission on the container engine's socket" in said
    assert "usermod -aG docker" in said


async def test_what_a_run_makes_carries_its_owner(tmp_path: Path, engine: Docker) -> None:
    async with bed(tmp_path) as run, bench(run.host.runtime, tmp_path) as b:
        await b.start("exec sleep 60")
        found = await asyncio.to_thread(_found, run.host.engine.address, run.host.run)
        assert found
        assert {(item["labels"][PID], item["labels"][BIRTH]) for item in found} == {
            (str(os.getpid()), birth(os.getpid()))
        }


async def test_a_sweep_takes_its_run_and_nothing_else(tmp_path: Path, engine: Docker) -> None:
    async with bed(tmp_path / "a") as other:
        strangers = {**other.host.labels, sweep.RUN: "kit-stranger"}
        volume = await engine.volumes.create({"Name": f"{other.host.run}-stranger", "Labels": strangers})
        plain = await engine.containers.create({"Image": BASE, "Cmd": ["sleep", "60"]})
        try:
            (tmp_path / "t").mkdir()
            async with bed(tmp_path / "b") as run, bench(run.host.runtime, tmp_path / "t") as b:
                await b.start("exec sleep 60")
                code = await asyncio.to_thread(sweep.sweep, run.host.engine.address, run.host.run)
                assert code == 0
                assert await run.left() == []
            assert await other.left() != []
            await plain.show()
            await (await engine.volumes.get(volume.name)).show()
        finally:
            await volume.delete()
            await plain.delete(force=True)


async def test_a_sweep_takes_the_volumes_that_an_image_declares(tmp_path: Path, engine: Docker) -> None:
    async with bed(tmp_path) as run:
        image = await run.image("declares:1", Volumes={"/declared": {}}, Entrypoint=["/bin/sleep", "60"])
        container = await engine.containers.create({"Image": image, "Labels": run.host.labels})
        await container.start()
        (anonymous,) = (each["Name"] for each in (await container.show())["Mounts"])
        await (await engine.volumes.get(anonymous)).show()
        argv = [sys.executable, "-I", "-S", sweep.__file__, run.host.engine.address, run.host.run]
        swept = await asyncio.create_subprocess_exec(*argv)
        assert await swept.wait() == 0
        with pytest.raises(DockerError) as gone:
            await engine.volumes.get(anonymous)
        assert gone.value.status == 404


async def test_nothing_is_left_of_a_cloud_that_was_killed(tmp_path: Path) -> None:
    config = {"runtime": "docker", "images": {"web:1": BASE}, "scale": 20}
    cloud = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "webordinary_testkit.emulation", "--config", json.dumps(config)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert cloud.stdout is not None
    ready = json.loads(await asyncio.wait_for(cloud.stdout.readline(), 30))
    admin = AdminApi(ready["aws"], ready["credentials"]["secret_access_key"])
    run = (await asyncio.to_thread(admin.get, "engine"))["run"]
    assert await left(run) != []
    os.kill(cloud.pid, signal.SIGKILL)
    await cloud.wait()

    async def gone() -> bool:
        return await left(run) == []

    await eventually(gone, within=20)


async def test_a_cloud_whose_image_is_nowhere_refuses_to_start() -> None:
    config = {"runtime": "docker", "images": {"web:1": "nobody/knows:this"}}
    cloud = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "webordinary_testkit.emulation", "--config", json.dumps(config)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await cloud.communicate()
    assert cloud.returncode == 2
    assert "CannotPullContainerError: pull image manifest" in said.decode()
    assert "[images]" in said.decode()


def _found(address: str, run: str) -> list[dict[str, dict[str, str]]]:
    return sweep.find(address, f"{sweep.RUN}={run}")
