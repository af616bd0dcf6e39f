"""The Docker runtime: it passes the runtimes' suite, and what only containers have is real."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiodocker import DockerError

from tests.support.engine import EngineRun, bed
from tests.support.runtime_conformance import SHELL, ContainedConformance, Output, RuntimeConformance, bench, eventually
from webordinary_testkit.emulation.services.ecs.docker import engine_config
from webordinary_testkit.emulation.services.ecs.docker.runtime import DockerRuntime
from webordinary_testkit.emulation.services.ecs.runtime import (
    CannotPull,
    CannotStart,
    ContainerSpec,
    Mount,
    RunningContainer,
    TaskSpec,
)


@pytest_asyncio.fixture
async def run(tmp_path: Path) -> AsyncIterator[EngineRun]:
    async with bed(tmp_path) as made:
        yield made


@pytest_asyncio.fixture
async def runtime(run: EngineRun) -> DockerRuntime:
    return run.host.runtime


NO_SLEEP = ["/bin/sh", "-c", "! grep -qsx sleep /proc/[0-9]*/comm"]


class TestConformance(RuntimeConformance):
    pass


class TestContainedConformance(ContainedConformance):
    pass


async def inspect(run: EngineRun, name: str = "app") -> dict[str, Any]:
    """What the engine says of the running container of this name."""
    for container in await run.client.containers.list():
        shown: dict[str, Any] = await container.show()
        if shown["Config"]["Labels"].get("com.amazonaws.ecs.container-name") == name and run.host.run in shown["Name"]:
            return shown
    raise AssertionError(f"no container {name} of {run.host.run} runs")


async def test_a_container_beyond_its_memory_is_killed_and_it_is_told_why(run: EngineRun, tmp_path: Path) -> None:
    async with bench(run.host.runtime, tmp_path) as b:
        container = await b.start("exec python3 -c \"x = b'x' * (200 << 20)\"", memory_mib=32)
        assert await container.wait() == 128 + signal.SIGKILL
        assert container.out_of_memory


async def test_a_container_that_is_only_killed_was_not_out_of_memory(run: EngineRun, tmp_path: Path) -> None:
    async with bench(run.host.runtime, tmp_path) as b:
        container = await b.start("exec sleep 60")
        container.kill()
        await container.wait()
        assert not container.out_of_memory


async def test_limits_are_the_task_definitions(run: EngineRun, tmp_path: Path) -> None:
    async with bench(run.host.runtime, tmp_path) as b:
        await b.start("exec sleep 60", memory_mib=64, cpu_units=128)
        host = (await inspect(run))["HostConfig"]
    assert host["Memory"] == host["MemorySwap"] == 64 << 20
    assert host["CpuShares"] == 128


async def test_a_container_may_not_use_more_memory_than_its_task_has(run: EngineRun, tmp_path: Path) -> None:
    async with bench(run.host.runtime, tmp_path) as b:
        await b.start("exec sleep 60", memory_mib=4096)
        assert (await inspect(run))["HostConfig"]["Memory"] == 512 << 20


async def test_a_cpu_is_the_task_definitions_on_a_clock_as_fast_as_life(tmp_path: Path) -> None:
    """The test's tasks have a quarter of a vCPU."""
    async with bed(tmp_path, scale=1) as run, bench(run.host.runtime, tmp_path) as b:
        container = await b.start("while :; do :; done")
        assert (await inspect(run))["HostConfig"]["NanoCpus"] == 250_000_000
        began, before = asyncio.get_running_loop().time(), (await run.host.runtime.usage())["task", "app"].cpu_seconds
        while (elapsed := asyncio.get_running_loop().time() - began) < 4:
            assert container.alive
            used = (await run.host.runtime.usage())["task", "app"].cpu_seconds - before
            await asyncio.sleep(0.1)
    assert 0.1 < used / elapsed < 0.3, f"{used:.2f} s of CPU in {elapsed:.2f} s"


@pytest.mark.parametrize(("scale", "limit"), [(2, 500_000_000), (60, None)])
async def test_a_cpu_limit_follows_the_clock_and_none_is_above_what_there_is(
    tmp_path: Path, scale: float, limit: int | None
) -> None:
    async with bed(tmp_path, scale=scale) as run, bench(run.host.runtime, tmp_path) as b:
        await b.start("exec sleep 60")
        assert (await inspect(run))["HostConfig"]["NanoCpus"] == (limit or 0)


GROWS = "exec python3 -c \"import time; x = b'x' * ({mib} << 20); print('grown', flush=True); time.sleep(60)\""


async def test_containers_that_use_more_memory_than_their_task_has_lose_the_largest(
    run: EngineRun, tmp_path: Path
) -> None:
    if run.host.engine.podman:
        pytest.skip("podman does not tell what processes hold")
    async with bench(run.host.runtime, tmp_path, containers=2) as b:
        small = await b.start(GROWS.format(mib=200), name="small")
        await b.output.until("grown")
        large = await b.start(GROWS.format(mib=400), name="large")
        assert await asyncio.wait_for(large.wait(), 20) == 128 + signal.SIGKILL
        assert large.out_of_memory
        assert small.alive


async def test_a_container_may_use_what_the_others_of_its_task_leave(run: EngineRun, tmp_path: Path) -> None:
    async with bench(run.host.runtime, tmp_path, containers=2) as b:
        small = await b.start("exec sleep 60", name="small")
        large = await b.start(GROWS.format(mib=400), name="large")
        await b.output.until("grown", within=20)
        with pytest.raises(TimeoutError):  # three looks at what they use
            await asyncio.wait_for(large.wait(), 3.5)
        assert small.alive


async def test_ports_are_published_on_loopback_only(run: EngineRun, tmp_path: Path) -> None:
    async with bench(run.host.runtime, tmp_path, ports=(8080,)) as b:
        await b.start("exec sleep 60", ports=(8080,))
        published = (await inspect(run))["NetworkSettings"]["Ports"]["8080/tcp"]
    assert [each["HostIp"] for each in published] == ["127.0.0.1"]


async def test_a_container_reaches_the_machines_servers_and_no_other_loopback(run: EngineRun, tmp_path: Path) -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), run.addressing.shared_host, 0)
    port = server.sockets[0].getsockname()[1]
    run.addressing.ports.add(port)
    reach = "import os, socket; socket.create_connection(os.environ['PLACE'].split(':'), 3); print(os.environ['PLACE'])"
    async with server, bench(run.host.runtime, tmp_path) as b:
        code, text = await b.run(f'exec python3 -c "{reach}"', environment={"PLACE": f"127.0.0.1:{port}"})
    assert (code, text) == (0, f"host.docker.internal:{port}\n")


async def test_a_user_a_read_only_root_and_a_working_directory_are_real(run: EngineRun, tmp_path: Path) -> None:
    async with bench(run.host.runtime, tmp_path) as b:
        _, text = await b.run(
            "id -u; pwd; touch /file 2>&1", user="1234:1234", read_only=True, working_directory="/usr"
        )
    assert text.splitlines()[:2] == ["1234", "/usr"]
    assert "Read-only file system" in text


async def test_an_init_process_reaps_what_the_program_leaves(run: EngineRun, tmp_path: Path) -> None:
    """A process whose parent has ended becomes PID 1's: a program that is PID 1 itself leaves it a zombie."""
    orphan = "(exec sh -c 'sleep 0.2 & echo $! >/tmp/orphan')"  # its parent ends at once
    state = "awk '{print $3}' /proc/$(cat /tmp/orphan)/stat 2>/dev/null || echo gone"
    script = f"{orphan}; exec sleep 60"
    for number, (init, seen) in enumerate([(True, "gone"), (False, "Z")]):
        async with bench(run.host.runtime, tmp_path, f"task-{number}") as b:
            container = await b.start(script, init_process=init)
            ended = ["/bin/sh", "-c", f'test "$({state})" = {seen}']

            async def reached(container: RunningContainer = container, ended: list[str] = ended) -> bool:
                return await container.run(ended) == 0

            await eventually(reached)


async def test_exec_enters_as_root_whoever_the_program_is(run: EngineRun, tmp_path: Path) -> None:
    async with bench(run.host.runtime, tmp_path) as b:
        container = await b.start("exec sleep 60", user="1234")
        terminal = await container.terminal(["id", "-u"])
        assert (await terminal.read()).strip() == b"0"
        await terminal.close()


async def test_a_terminal_has_the_size_it_is_given(run: EngineRun, tmp_path: Path) -> None:
    async with bench(run.host.runtime, tmp_path) as b:
        container = await b.start("exec sleep 60")
        terminal = await container.terminal(["/bin/sh", "-c", "while :; do stty size; sleep 0.1; done"])
        terminal.resize(120, 33)
        seen = b""
        async with asyncio.timeout(5):
            while b"33 120" not in seen:
                seen += await terminal.read()
        await terminal.close()


@pytest.mark.parametrize("user", [None, "1234"])
async def test_a_closed_terminal_ends_all_it_started(run: EngineRun, tmp_path: Path, user: str | None) -> None:
    async with bench(run.host.runtime, tmp_path) as b:
        container = await b.start("exec tail -f /dev/null", user=user)
        terminal = await container.terminal(["/bin/sh", "-c", "echo up; sleep 77; echo late"])
        assert b"up" in await terminal.read()
        await terminal.close()
        assert await container.run(NO_SLEEP) == 0


async def test_a_terminal_for_a_missing_program_says_so(run: EngineRun, tmp_path: Path) -> None:
    async with bench(run.host.runtime, tmp_path) as b:
        container = await b.start("exec sleep 60")
        with pytest.raises(OSError, match="executable file not found"):
            await container.terminal(["no-such-program"])


@pytest.mark.parametrize("user", [None, "1234"])
async def test_a_cancelled_command_is_killed(run: EngineRun, tmp_path: Path, user: str | None) -> None:
    async with bench(run.host.runtime, tmp_path) as b:
        container = await b.start("exec tail -f /dev/null", user=user)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(container.run(["/bin/sleep", "55"]), 0.5)
        assert await container.run(NO_SLEEP) == 0


async def test_containers_of_a_task_share_a_network_and_their_own_volume(run: EngineRun, tmp_path: Path) -> None:
    runtime, folder = run.host.runtime, tmp_path / "pair"
    folder.mkdir()
    scratch = Mount(folder / "volumes" / "scratch", "/scratch")
    sandbox = await runtime.prepare(TaskSpec("pair", "arn:pair", folder, (8080,), 0.25, 512, {}, 2))
    try:
        outputs = Output(), Output()
        server = ContainerSpec(
            "server",
            SHELL,
            {},
            ["echo hello > /scratch/file; exec python3 -m http.server 8080 -d /scratch"],
            mounts=[scratch],
        )
        await runtime.start(sandbox, server, outputs[0])
        fetch = "import urllib.request as u; print(u.urlopen('http://localhost:8080/file').read())"
        client = ContainerSpec(
            "client",
            SHELL,
            {},
            [f'cat /scratch/file; until python3 -c "{fetch}" 2>/dev/null; do :; done'],
            mounts=[scratch],
        )
        code = await (await runtime.start(sandbox, client, outputs[1])).wait()
        assert (code, outputs[1].text) == (0, "hello\nb'hello\\n'\n")
    finally:
        await runtime.release(sandbox)
    assert [item for item in await run.left() if "pair" in item] == []


async def test_an_image_that_is_nowhere_is_told_as_ecs_tells_it(run: EngineRun) -> None:
    with pytest.raises(
        CannotPull, match=r"failed to resolve ref docker\.io/nobody/knows:this: .*docker pull nobody/knows"
    ):
        await run.host.runtime.pull("nobody/knows:this")
    with pytest.raises(CannotPull, match=r"failed to resolve ref docker\.io/webordinary/none:test: .*kit images build"):
        await run.host.runtime.pull("webordinary/none:test")


async def test_an_engine_that_ended_is_no_image_and_no_defect(run: EngineRun, monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(_: str) -> None:
        raise aiohttp.ServerDisconnectedError

    monkeypatch.setattr(run.client.images, "inspect", gone)
    with pytest.raises(CannotPull, match="the container engine cannot inspect the image"):
        await run.host.runtime.pull(SHELL)


async def test_an_image_of_another_architecture_is_refused(run: EngineRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run.host.engine, "architecture", "riscv64")
    with pytest.raises(CannotPull, match=r"matching platform 'linux/riscv64'.*docker build --platform"):
        await run.host.runtime.pull(SHELL)


async def test_a_port_that_was_taken_meanwhile_is_told(run: EngineRun, tmp_path: Path) -> None:
    async with bench(run.host.runtime, tmp_path, ports=(8080,)) as b:
        thief = await asyncio.start_server(lambda *_: None, "127.0.0.1", b.sandbox.ports[8080])
        async with thief:
            with pytest.raises(CannotStart, match=r"address already in use.*Another program took the port"):
                await b.start("exec sleep 60", ports=(8080,))


async def test_a_task_of_two_containers_whose_port_was_taken_meanwhile_has_no_place_and_leaves_nothing(
    run: EngineRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = run.host.runtime
    thief = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = thief.sockets[0].getsockname()[1]
    with monkeypatch.context() as patch:
        patch.setattr(runtime._ports, "_next", 0)
        patch.setattr("webordinary_testkit.emulation.services.ecs.ports._FIRST", port)
        patch.setattr(
            "webordinary_testkit.emulation.services.ecs.ports._COUNT", 1
        )  # there is no other, so it must have been given back
        patch.setattr(
            "webordinary_testkit.emulation.services.ecs.ports._is_free", lambda _: True
        )  # it looked before the other program came
        async with thief:
            with pytest.raises(CannotStart, match=r"address already in use.*Another program took the port"):
                await runtime.prepare(TaskSpec("pair", "arn:pair", tmp_path, (8080,), 0.25, 512, {}, 2))
        assert [item for item in await run.left() if "pair" in item] == []
        async with bench(runtime, tmp_path, "pair", ports=(8080,), containers=2) as b:
            assert b.sandbox.ports == {8080: port}
    assert await runtime.usage() == {}


async def test_a_task_for_whose_network_the_engine_has_no_room_has_no_place(
    run: EngineRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full() -> str:
        raise DockerError(500, "write /var/lib/docker/tmp/layer.tar: no space left on device")

    monkeypatch.setattr(run.host, "pause_image", full)
    with pytest.raises(CannotStart, match=r"no space left on device\. The disk of the container engine is full"):
        await run.host.runtime.prepare(TaskSpec("pair", "arn:pair", tmp_path, (8080,), 0.25, 512, {}, 2))


async def test_a_volume_without_room_for_what_the_image_has_there_is_told_as_a_full_disk(
    run: EngineRun, tmp_path: Path
) -> None:
    async with bench(run.host.runtime, tmp_path) as b:
        small = Mount(b.sandbox.task.folder / "volumes" / "small", "/usr/lib")
        name = engine_config.task_volume(small, b.sandbox, run.host.run)
        assert name is not None
        await run.host.create_volume(name, {"type": "tmpfs", "device": "tmpfs", "o": "size=64k"})
        with pytest.raises(CannotStart, match=r"no space left on device\. The disk of the container engine is full: "):
            await b.start("true", mounts=[small])
    assert [item for item in await run.left() if "task" in item] == []


async def test_nothing_is_left_of_a_run(tmp_path: Path) -> None:
    async with bed(tmp_path) as run, bench(run.host.runtime, tmp_path) as b:
        await b.start("exec sleep 60", mounts=[Mount(b.sandbox.task.folder / "volumes" / "own", "/own")])
        assert len(await run.left()) >= 4
    from tests.support.engine import left

    assert await left(run.host.run) == []
