"""What every container runtime must do: one suite, run against each of them.

class TestDocker(RuntimeConformance):
    @pytest_asyncio.fixture
    async def runtime(self): ...      # knows the image SHELL, whose program is ["/bin/sh", "-c"]
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from webordinary_testkit.emulation.services.ecs.runtime import (
    METADATA_VARIABLE,
    CannotPull,
    CannotStart,
    ContainerSpec,
    IsolatedContainer,
    Mount,
    RunningContainer,
    Runtime,
    Sandbox,
    TaskSpec,
)

SHELL = "shell:1"


class Output:
    """Collects what a container wrote."""

    def __init__(self) -> None:
        self.text = ""
        self._more = asyncio.Event()

    async def __call__(self, data: bytes) -> None:
        self.text += data.decode()
        self._more.set()

    async def until(self, expected: str, within: float = 5.0) -> str:
        """All output so far, once it contains the expected text."""
        try:
            async with asyncio.timeout(within):
                while expected not in self.text:
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            raise AssertionError(f"{expected!r} not within {within} s; output: {self.text!r}") from None
        return self.text


class Bench:
    """A sandbox to start containers in."""

    def __init__(self, runtime: Runtime, sandbox: Sandbox) -> None:
        self.runtime = runtime
        self.sandbox = sandbox
        self.output = Output()

    async def start(self, script: str, **changes: Any) -> RunningContainer:
        """Start a container that runs this shell script."""
        own = {METADATA_VARIABLE: f"http://metadata{self.sandbox.task.folder}"}  # unique, as in a cloud
        environment = {**own, **changes.pop("environment", {})}
        spec = ContainerSpec(name="app", image=SHELL, command=[script], environment=environment)
        await self.runtime.pull(SHELL)
        return await self.runtime.start(self.sandbox, replace(spec, **changes), self.output)

    async def run(self, script: str, **changes: Any) -> tuple[int, str]:
        """Exit code and output of a script."""
        code = await (await self.start(script, **changes)).wait()
        return code, self.output.text


@contextlib.asynccontextmanager
async def bench(
    runtime: Runtime, folder: Path, name: str = "task", ports: tuple[int, ...] = (), containers: int = 1
) -> AsyncIterator[Bench]:
    own = folder / name
    own.mkdir()
    spec = TaskSpec(name, f"arn:{name}", own, ports, vcpus=0.25, memory_mib=512, containers=containers)
    sandbox = await runtime.prepare(spec)
    try:
        yield Bench(runtime, sandbox)
    finally:
        await runtime.release(sandbox)


async def gone(pid: int, within: float = 5.0) -> bool:
    """Whether a process of this machine ends in time."""
    deadline = asyncio.get_running_loop().time() + within
    while asyncio.get_running_loop().time() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if _is_zombie(pid):
            return True
        await asyncio.sleep(0.01)
    return False


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False


class RuntimeConformance:
    """Subclasses provide the fixture `runtime`."""

    serve = "python3 -m http.server"
    """A command of the image that serves HTTP on the port given as its argument."""

    async def test_a_program_that_ends_gives_its_exit_code(self, runtime: Runtime, tmp_path: Path) -> None:
        async with bench(runtime, tmp_path) as b:
            assert (await b.run("exit 7"))[0] == 7

    async def test_a_program_killed_by_a_signal_gives_128_and_its_number(
        self, runtime: Runtime, tmp_path: Path
    ) -> None:
        async with bench(runtime, tmp_path) as b:
            container = await b.start("echo up; exec sleep 60")
            await b.output.until("up")
            container.kill()
            assert await container.wait() == 128 + signal.SIGKILL

    async def test_all_output_is_there_when_the_container_has_ended(self, runtime: Runtime, tmp_path: Path) -> None:
        async with bench(runtime, tmp_path) as b:
            _, text = await b.run("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; echo last >&2")
        assert sorted(text.splitlines()) == sorted([*(f"line {i}" for i in range(20_000)), "last"])

    async def test_each_stream_comes_in_the_order_of_writing(self, runtime: Runtime, tmp_path: Path) -> None:
        async with bench(runtime, tmp_path) as b:
            _, text = await b.run("for i in 1 2 3; do echo out $i; echo err $i >&2; done")
        for stream in ("out", "err"):
            assert [line for line in text.splitlines() if line.startswith(stream)] == [
                f"{stream} {i}" for i in (1, 2, 3)
            ]

    async def test_a_slow_reader_loses_nothing(self, runtime: Runtime, tmp_path: Path) -> None:
        async with bench(runtime, tmp_path) as b:
            taken: list[bytes] = []

            async def slowly(data: bytes) -> None:
                await asyncio.sleep(0.01)
                taken.append(data)

            b.output = slowly  # type: ignore[assignment] # any `Output` of the runtime's
            container = await b.start("i=0; while [ $i -lt 30000 ]; do echo 0123456789; i=$((i+1)); done")
            await container.wait()
        assert sum(map(len, taken)) == 30_000 * 11

    async def test_sigterm_reaches_the_program(self, runtime: Runtime, tmp_path: Path) -> None:
        async with bench(runtime, tmp_path) as b:
            container = await b.start("trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.05; done")
            await b.output.until("up")
            container.signal(signal.SIGTERM)
            assert await container.wait() == 3
            assert b.output.text.endswith("bye\n")

    async def test_a_paused_container_can_be_killed(self, runtime: Runtime, tmp_path: Path) -> None:
        async with bench(runtime, tmp_path) as b:
            container = await b.start("echo up; sleep 60")
            await b.output.until("up")
            container.pause()
            container.kill()
            assert await asyncio.wait_for(container.wait(), 5) == 128 + signal.SIGKILL

    async def test_a_signal_to_a_dying_container_does_not_change_its_exit_code(
        self, runtime: Runtime, tmp_path: Path
    ) -> None:
        async with bench(runtime, tmp_path) as b:
            for _ in range(10):
                container = await b.start("exec sleep 60")
                container.kill()
                for _ in range(20):
                    container.signal(signal.SIGTERM)
                    await asyncio.sleep(0)
                assert await container.wait() == 128 + signal.SIGKILL

    async def test_a_paused_container_and_its_children_stand_still_until_resumed(
        self, runtime: Runtime, tmp_path: Path
    ) -> None:
        async with bench(runtime, tmp_path) as b:
            container = await b.start("(while sleep 0.02; do echo child; done) & while sleep 0.02; do echo main; done")
            await b.output.until("main")
            await b.output.until("child")
            container.pause()
            await asyncio.sleep(0.3)  # what was on its way has arrived
            b.output.text = ""
            await asyncio.sleep(0.3)
            while_paused, b.output.text = b.output.text, ""
            container.resume()
            await b.output.until("main")
            await b.output.until("child")

        assert while_paused == ""

    async def test_signals_to_an_ended_container_do_nothing(self, runtime: Runtime, tmp_path: Path) -> None:
        async with bench(runtime, tmp_path) as b:
            container = await b.start("exit 0")
            await container.wait()
            container.signal(signal.SIGTERM)
            container.kill()
            assert await container.wait() == 0

    async def test_the_environment_is_what_was_told(
        self, runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DEVELOPERS_OWN", "secret")
        async with bench(runtime, tmp_path) as b:
            _, text = await b.run('echo "[$GREETING][$DEVELOPERS_OWN]"', environment={"GREETING": "hello $HOME 'x'"})
        assert text == "[hello $HOME 'x'][]\n"

    async def test_home_is_a_folder_of_the_containers_own(self, runtime: Runtime, tmp_path: Path) -> None:
        async with bench(runtime, tmp_path, "one") as one, bench(runtime, tmp_path, "two") as two:
            await one.run("echo mine > $HOME/file")
            code, _ = await two.run("test -e $HOME/file")
        assert code == 1

    async def test_command_replaces_arguments_and_entry_point_the_program(
        self, runtime: Runtime, tmp_path: Path
    ) -> None:
        async with bench(runtime, tmp_path) as b:
            code, text = await b.run("", entry_point=["/bin/echo", "entry"], command=["and", "argument"])
        assert (code, text) == (0, "entry and argument\n")

    async def test_an_unknown_image_cannot_be_pulled(self, runtime: Runtime) -> None:
        with pytest.raises(CannotPull, match="nobody/knows:this"):
            await runtime.pull("nobody/knows:this")

    async def test_an_image_has_the_same_digest_each_time(self, runtime: Runtime) -> None:
        digest = await runtime.pull(SHELL)
        assert digest.startswith("sha256:")
        assert await runtime.pull(SHELL) == digest

    async def test_a_missing_program_cannot_be_started(self, runtime: Runtime, tmp_path: Path) -> None:
        async with bench(runtime, tmp_path) as b:
            with pytest.raises(CannotStart, match="/no/such/program"):
                await b.start("", entry_point=["/no/such/program"])

    async def test_files_on_a_mount_outlive_the_container(self, runtime: Runtime, tmp_path: Path) -> None:
        shared = tmp_path / "shared"
        shared.mkdir()
        changes: dict[str, Any] = {"mounts": [Mount(shared, "/data")], "environment": {"DATA": "/data"}}
        async with bench(runtime, tmp_path, "one") as one:
            await one.run('echo kept > "$DATA/file"', **changes)
        async with bench(runtime, tmp_path, "two") as two:
            _, text = await two.run('cat "$DATA/file"', **changes)
        assert text == "kept\n"

    async def test_a_port_is_reached_where_the_sandbox_says(self, runtime: Runtime, tmp_path: Path) -> None:
        async with bench(runtime, tmp_path, ports=(8080,)) as b:
            await b.start(f"{self.serve} $PORT", ports=(8080,), environment={"PORT": "8080"})
            url = f"http://{b.sandbox.address}:{b.sandbox.ports[8080]}/"
            status = await eventually(lambda: asyncio.to_thread(_status, url))
        assert status == 200

    async def test_two_tasks_can_listen_on_the_same_container_port(self, runtime: Runtime, tmp_path: Path) -> None:
        async with bench(runtime, tmp_path, "a", (8080,)) as a, bench(runtime, tmp_path, "b", (8080,)) as b:
            places = {(each.sandbox.address, each.sandbox.ports[8080]) for each in (a, b)}
        assert len(places) == 2

    async def test_a_command_runs_inside_with_the_containers_environment(
        self, runtime: Runtime, tmp_path: Path
    ) -> None:
        async with bench(runtime, tmp_path) as b:
            container = await b.start("sleep 60", environment={"SECRET": "42"})
            assert await container.run(["/bin/sh", "-c", 'test "$SECRET" = 42']) == 0
            assert await container.run(["/bin/sh", "-c", "exit 9"]) == 9

    async def test_a_command_that_is_no_program_gives_127(self, runtime: Runtime, tmp_path: Path) -> None:
        async with bench(runtime, tmp_path) as b:
            container = await b.start("sleep 60")
            assert await container.run(["no-such-program"]) == 127

    async def test_a_terminal_is_a_terminal(self, runtime: Runtime, tmp_path: Path) -> None:
        async with bench(runtime, tmp_path) as b:
            container = await b.start("sleep 60", environment={"SECRET": "42"})
            terminal = await container.terminal(["/bin/sh", "-c", 'test -t 0 && read word && echo "<$word $SECRET>"'])
            terminal.write(b"hi\n")
            seen = b""
            async with asyncio.timeout(5):
                while b"<hi 42>" not in seen and (data := await terminal.read()):
                    seen += data
            await terminal.close()
        assert b"<hi 42>" in seen

    async def test_what_runs_is_metered_and_what_ended_is_not(self, runtime: Runtime, tmp_path: Path) -> None:
        async with bench(runtime, tmp_path) as b:
            container = await b.start("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done; sleep 60; exit")
            await b.output.until("done")
            used = (await runtime.usage())["task", "app"]
            container.kill()
            await container.wait()
            left = await runtime.usage()
        assert used.cpu_seconds > 0
        assert used.memory_bytes > 100_000
        assert ("task", "app") not in left

    async def test_release_ends_what_still_runs(self, runtime: Runtime, tmp_path: Path) -> None:
        async with bench(runtime, tmp_path) as b:
            container = await b.start("echo up; sleep 60")
            await b.output.until("up")
        assert await asyncio.wait_for(container.wait(), 5) == 128 + signal.SIGKILL

    async def test_release_can_be_repeated(self, runtime: Runtime, tmp_path: Path) -> None:
        async with bench(runtime, tmp_path) as b:
            await runtime.release(b.sandbox)


class ContainedConformance:
    """What a runtime must do whose `Running` is `Contained`. Subclasses provide the fixture `runtime`."""

    serve = RuntimeConformance.serve

    async def test_a_starved_container_is_slow_until_it_may_go_on(self, runtime: Runtime, tmp_path: Path) -> None:
        async with bench(runtime, tmp_path) as b:
            container = _contained(await b.start("sleep 60"))
            before = await _work(container)
            await container.allow_cpus(0.02)
            starved = await _work(container)
            await container.allow_cpus(None)
            after = await _work(container)
        assert starved > 4 * max(before, after), (before, starved, after)

    async def test_an_unplugged_task_is_not_reached_and_reaches_nobody_until_plugged_in(
        self, runtime: Runtime, tmp_path: Path
    ) -> None:
        async with bench(runtime, tmp_path, ports=(8080,)) as b:
            running = await b.start(f"{self.serve} $PORT", ports=(8080,), environment={"PORT": "8080"})
            container, url = _contained(running), f"http://{b.sandbox.address}:{b.sandbox.ports[8080]}/"
            outside = ["/bin/sh", "-c", "grep -q 00000000 /proc/net/route"]  # a way to anywhere
            await eventually(lambda: asyncio.to_thread(_status, url))
            assert await running.run(outside) == 0
            for _ in range(2):
                await container.unplug()
            assert await asyncio.to_thread(_status, url) is None
            assert await running.run(outside) == 1
            for _ in range(2):
                await container.plug_in()
            assert await eventually(lambda: asyncio.to_thread(_status, url)) == 200
            assert await running.run(outside) == 0

    async def test_containers_of_a_task_are_unplugged_together(self, runtime: Runtime, tmp_path: Path) -> None:
        async with bench(runtime, tmp_path, ports=(8080,), containers=2) as b:
            running = await b.start(f"{self.serve} 8080", ports=(8080,))
            url = f"http://{b.sandbox.address}:{b.sandbox.ports[8080]}/"
            await eventually(lambda: asyncio.to_thread(_status, url))
            other = _contained(await b.start("sleep 60", name="other"))
            await other.unplug()
            assert await asyncio.to_thread(_status, url) is None
            assert await running.run(["/bin/sh", "-c", "grep -q 00000000 /proc/net/route"]) == 1
            await other.plug_in()
            assert await eventually(lambda: asyncio.to_thread(_status, url)) == 200

    async def test_an_ended_container_has_nothing_to_be_taken(self, runtime: Runtime, tmp_path: Path) -> None:
        async with bench(runtime, tmp_path) as b:
            running = await b.start("exit 0")
            await running.wait()
            container = _contained(running)
            await container.allow_cpus(0.02)
            await container.unplug()
            await container.plug_in()


def _contained(running: RunningContainer) -> Any:
    assert isinstance(running, IsolatedContainer)
    return running


async def _work(container: RunningContainer) -> float:
    """Wall seconds of a fixed piece of work."""
    began = asyncio.get_running_loop().time()
    assert await container.run(["/bin/sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"]) == 0
    return asyncio.get_running_loop().time() - began


def _status(url: str) -> int | None:
    try:
        with urlopen(url, timeout=1) as answer:
            return int(answer.status)
    except OSError:
        return None


async def eventually(probe: Callable[[], Any], within: float = 10.0) -> Any:
    """The awaited probe's value once it is true."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while not (value := await probe()):
        if loop.time() > deadline:
            raise AssertionError(f"not within {within} s; last seen: {value!r}")
        await asyncio.sleep(0.01)
    return value
