"""The process runtime: it passes the runtimes' suite, and is kind to the machine it runs on."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.runtime_conformance import SHELL, RuntimeConformance, bench, eventually, gone
from webordinary_testkit.emulation.services.ecs.process import ProcessRuntime
from webordinary_testkit.emulation.services.ecs.runtime import CannotPull, Mount
from webordinary_testkit.emulation.time.clock import Clock


class Watched:
    """A guardian that only remembers."""

    def __init__(self) -> None:
        self.groups: set[int] = set()
        self.ever: set[int] = set()

    async def watch(self, pgid: int) -> None:
        self.groups.add(pgid)
        self.ever.add(pgid)

    async def forget(self, pgid: int) -> None:
        self.groups.discard(pgid)


@pytest.fixture
def guardian() -> Watched:
    return Watched()


@pytest_asyncio.fixture
async def runtime(guardian: Watched) -> ProcessRuntime:
    return ProcessRuntime({SHELL: ["/bin/sh", "-c"]}, guardian, Clock())


class TestConformance(RuntimeConformance):
    pass


async def test_an_image_without_a_program_is_told_how_to_map_it(runtime: ProcessRuntime) -> None:
    with pytest.raises(
        CannotPull, match=r"no program for image web:2 .* Map it under \[programs\].*mapped now: shell:1"
    ):
        await runtime.pull("web:2")


async def test_grandchildren_end_with_their_container(runtime: ProcessRuntime, tmp_path: Path) -> None:
    async with bench(runtime, tmp_path) as b:
        container = await b.start("sleep 60 & echo $!; wait")
        grandchild = int(await b.output.until("\n"))
        container.kill()
        await container.wait()
        assert await gone(grandchild)


async def test_what_the_program_leaves_behind_ends_when_it_exits(runtime: ProcessRuntime, tmp_path: Path) -> None:
    async with bench(runtime, tmp_path) as b:
        code, text = await b.run("sleep 60 & echo $!; exit 0")
        assert code == 0
        assert await gone(int(text))


async def test_a_child_that_forgot_its_environment_ends_too(runtime: ProcessRuntime, tmp_path: Path) -> None:
    async with bench(runtime, tmp_path) as b:
        _, text = await b.run("env -i sleep 60 & echo $!; exit 0")
        assert await gone(int(text))


async def test_a_health_check_reaches_the_container_by_its_own_port(runtime: ProcessRuntime, tmp_path: Path) -> None:
    fetch = f"{sys.executable} -S -c 'import urllib.request as u; u.urlopen(\"http://localhost:8080/\")'"
    async with bench(runtime, tmp_path, ports=(8080,)) as b:
        container = await b.start("exec python3 -m http.server $PORT", ports=(8080,))

        async def passes() -> bool:
            return await container.run(["/bin/sh", "-c", fetch]) == 0

        assert await eventually(passes)


@pytest.mark.skipif(sys.platform != "linux", reason="a process that left its group is found by /proc only")
async def test_a_daemon_that_left_the_process_group_ends_too(runtime: ProcessRuntime, tmp_path: Path) -> None:
    daemon = "import os, time; os.fork() and os._exit(0); os.setsid(); print(os.getpid(), flush=True); time.sleep(60)"
    async with bench(runtime, tmp_path) as b:
        container = await b.start(f"{sys.executable} -S -c '{daemon}'; sleep 60")
        pid = int(await b.output.until("\n"))
        container.kill()
        await container.wait()
        assert await gone(pid)


async def test_the_guardian_watches_a_container_for_as_long_as_it_runs(
    runtime: ProcessRuntime, guardian: Watched, tmp_path: Path
) -> None:
    async with bench(runtime, tmp_path) as b:
        container = await b.start("echo $$; sleep 60")
        pid = int(await b.output.until("\n"))
        assert guardian.groups == {pid}
        container.kill()
        await container.wait()
        assert guardian.groups == set()


async def test_the_guardian_watches_a_terminal_until_it_is_closed(
    runtime: ProcessRuntime, guardian: Watched, tmp_path: Path
) -> None:
    async with bench(runtime, tmp_path) as b:
        container = await b.start("sleep 60")
        terminal = await container.terminal(["/bin/sh"])
        assert len(guardian.groups) == 2
        await terminal.close()
        assert len(guardian.groups) == 1
        assert await container.run(["true"]) == 0
        assert len(guardian.groups) == 1
        assert len(guardian.ever) == 3


async def test_a_terminal_ends_with_its_container(runtime: ProcessRuntime, tmp_path: Path) -> None:
    async with bench(runtime, tmp_path) as b:
        container = await b.start("sleep 60")
        terminal = await container.terminal(["/bin/sh", "-c", "echo $$; sleep 60"])
        pid = int(await asyncio.wait_for(terminal.read(), 5))
        container.kill()
        await container.wait()
        assert await gone(pid)
        await terminal.close()


async def test_a_health_check_that_hangs_is_killed_when_cancelled(runtime: ProcessRuntime, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    async with bench(runtime, tmp_path) as b:
        container = await b.start("sleep 60", environment={"PID_FILE": str(pid_file)})
        check = asyncio.create_task(container.run(["/bin/sh", "-c", "echo $$ > $PID_FILE; sleep 60"]))
        await eventually(lambda: asyncio.to_thread(_text, pid_file))
        check.cancel()
        await asyncio.wait({check})
        assert await gone(int(pid_file.read_text()))


async def test_the_port_variable_is_the_port_of_this_task(runtime: ProcessRuntime, tmp_path: Path) -> None:
    async with bench(runtime, tmp_path, ports=(3000, 9000)) as b:
        _, text = await b.run("echo $PORT $PORT_9000", ports=(3000,), environment={"PORT": "3000"})
        assert text.split() == [str(b.sandbox.ports[3000]), str(b.sandbox.ports[9000])]


async def test_a_container_without_a_port_variable_is_told_its_first_port(
    runtime: ProcessRuntime, tmp_path: Path
) -> None:
    async with bench(runtime, tmp_path, ports=(3000,)) as b:
        _, text = await b.run("echo $PORT", ports=(3000,))
        assert text == f"{b.sandbox.ports[3000]}\n"


async def test_a_path_of_a_mount_becomes_the_real_folder(runtime: ProcessRuntime, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    async with bench(runtime, tmp_path) as b:
        _, text = await b.run(
            "echo $WORKSPACE_PATH; pwd",
            mounts=[Mount(shared, "/workspace")],
            environment={"WORKSPACE_PATH": "/workspace/site"},
            working_directory="/workspace/site",
        )
    assert text == f"{shared}/site\n{shared}/site\n"


async def test_home_and_temporary_files_lie_in_the_tasks_folder(runtime: ProcessRuntime, tmp_path: Path) -> None:
    async with bench(runtime, tmp_path) as b:
        _, text = await b.run("echo $HOME $TMPDIR; pwd", environment={"HOME": "/root"})
        assert all(path.startswith(str(b.sandbox.task.folder)) for path in text.split())


async def test_nothing_else_of_the_developers_environment_gets_in(runtime: ProcessRuntime, tmp_path: Path) -> None:
    async with bench(runtime, tmp_path) as b:
        _, text = await b.run("env")
    names = {line.partition("=")[0] for line in text.splitlines()}
    assert names <= {"HOME", "LANG", "PATH", "TMPDIR", "ECS_CONTAINER_METADATA_URI_V4", "PWD", "SHLVL", "OLDPWD", "_"}


async def test_only_the_first_process_gets_sigterm(runtime: ProcessRuntime, tmp_path: Path) -> None:
    async with bench(runtime, tmp_path) as b:
        child = "trap 'echo child' TERM; while :; do sleep 0.05; done"
        container = await b.start(f'trap "echo parent; exit 0" TERM; sh -c "{child}" & echo up; wait')
        await b.output.until("up")
        container.signal(signal.SIGTERM)
        await container.wait()
    assert b.output.text == "up\nparent\n"


async def test_containers_have_sessions_of_their_own(runtime: ProcessRuntime, tmp_path: Path) -> None:
    async with bench(runtime, tmp_path) as b:
        await b.start("echo $$; sleep 60")
        pid = int(await b.output.until("\n"))
        assert os.getsid(pid) == pid != os.getsid(0)


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""
