"""The fork server: the process runtime's suite with forked programs, and how a forked program differs."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.runtime_conformance import SHELL, RuntimeConformance, bench, gone
from webordinary_testkit.emulation.services.ecs.process import ProcessRuntime
from webordinary_testkit.emulation.services.ecs.warm import Forked, ForkServer
from webordinary_testkit.emulation.time.clock import Clock
from webordinary_testkit.kit.backends.emulated.programs import MODULES

from .test_process import Watched

MODULE = "tests.support.forked_program"
START = [sys.executable, "-m", MODULE]
LOG = logging.getLogger("forks")


@pytest.fixture
def guardian() -> Watched:
    return Watched()


@pytest_asyncio.fixture
async def forks() -> AsyncIterator[ForkServer]:
    server = ForkServer([MODULE], LOG)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def runtime(guardian: Watched, forks: ForkServer) -> ProcessRuntime:
    shell = "import os; os.execv('/bin/sh', ['sh', '-c', *sys.argv[1:]])"
    return ProcessRuntime({SHELL: [*START, shell]}, guardian, Clock(), forks)


class TestConformance(RuntimeConformance):
    pass


async def run(forks: ForkServer, folder: Path, source: str, **variables: str) -> tuple[Forked, int, str]:
    """The program, its exit status and its output."""
    output = folder / "output"
    program = await start(forks, folder, output, source, **variables)
    return program, await asyncio.wait_for(program.wait(), 10), output.read_text()


async def start(forks: ForkServer, folder: Path, output: Path, source: str, **variables: str) -> Forked:
    with output.open("wb") as out:
        argv = [*START, source, "one", "two"]
        return await forks.spawn(argv, out=out.fileno(), directory=folder, variables=variables)


async def test_a_program_gets_its_own_surroundings_and_nothing_of_the_server(forks: ForkServer, tmp_path: Path) -> None:
    source = """
import json, os, sys, time
assert "tests.support.forked_program.warm" in sys.modules
print(json.dumps({
    "ids": [os.getpid(), os.getpgid(0), os.getsid(0)], "folder": os.getcwd(), "environment": dict(os.environ),
    "arguments": sys.argv[1:], "zone": time.tzname[0],
    "shown": [open(f"/proc/self/{each}").read().rstrip("\\0").split("\\0") for each in ("environ", "cmdline")],
    "descriptors": [os.readlink(f"/proc/self/fd/{each}") for each in sorted(os.listdir("/proc/self/fd"))[:-1]],
}), flush=True)
os._exit(0)"""
    variables = {"TZ": "XYZ3", "A": "ä"}
    program, status, text = await run(forks, tmp_path, source, **variables)
    seen = json.loads(text)
    assert status == 0
    assert seen["ids"] == [program.pid] * 3
    assert seen["folder"] == str(tmp_path)
    assert seen["environment"] == variables
    assert seen["shown"][0] == [f"{name}={value}" for name, value in variables.items()]
    assert seen["shown"][1][:3] == START
    assert seen["arguments"] == ["one", "two"]
    assert seen["zone"] == "XYZ"
    output = str(tmp_path / "output")
    assert seen["descriptors"] == [os.devnull, output, output]


@pytest.mark.parametrize(
    ("source", "status", "said"),
    [
        ("raise SystemExit(7)", 7, ""),
        ("raise SystemExit('bad settings')", 1, "bad settings"),
        ("1 / 0", 1, "ZeroDivisionError"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM, ""),
    ],
)
async def test_a_program_ends_as_one_of_its_own_would(
    forks: ForkServer, tmp_path: Path, source: str, status: int, said: str
) -> None:
    _, ended, text = await run(forks, tmp_path, source)
    assert ended == status
    assert said in text


async def test_a_program_that_cannot_be_started_is_an_error_and_the_next_one_starts(
    forks: ForkServer, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        await forks.spawn(START, out=1, directory=tmp_path / "none", variables={})
    assert (await run(forks, tmp_path, "print('here')"))[1] == 0


@pytest.mark.parametrize(
    ("argv", "variables", "taken"),
    [
        (START, {"HOME": "/somewhere"}, True),
        ([*START, "an", "argument"], {}, True),
        ([sys.executable, "-m", "another"], {}, False),
        (["/usr/bin/python3", "-m", MODULE], {}, False),
        ([sys.executable, "-I", "-m", MODULE], {}, False),
        (START, {"PYTHONUNBUFFERED": "1"}, False),
        (START, {"LD_PRELOAD": "libfaketime.so"}, False),
        (START, {"LANG": "tlh"}, False),
        (START, {"LARGE": "-" * 40_000}, False),
    ],
)
async def test_only_what_runs_the_same_by_fork_is_taken(
    forks: ForkServer, argv: list[str], variables: Mapping[str, str], taken: bool
) -> None:
    own = {"LANG": os.environ.get("LANG", "C.UTF-8")}
    assert forks.takes(argv, own | variables) is taken


async def test_programs_end_with_a_killed_server_and_further_orders_are_refused(
    forks: ForkServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    program = await start(forks, tmp_path, tmp_path / "output", "import time; time.sleep(60)")
    os.kill(parent(program.pid), signal.SIGKILL)
    assert await asyncio.wait_for(program.wait(), 5) == -signal.SIGKILL
    assert await gone(program.pid)
    assert "its 1 programs are killed" in caplog.text
    with pytest.raises(BrokenPipeError, match="the fork server has ended, exit code -9"):
        await start(forks, tmp_path, tmp_path / "output", "")


async def test_a_program_is_metered_and_killed_as_any_other(runtime: ProcessRuntime, tmp_path: Path) -> None:
    async with bench(runtime, tmp_path) as b:
        container = await b.start("while :; do :; done")
        await asyncio.sleep(0.3)
        (usage,) = (await runtime.usage()).values()
        assert usage.cpu_seconds > 0
        container.kill()
        assert await container.wait() == 137


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.mark.parametrize("module", sorted(MODULES.values()))
def test_what_is_imported_beforehand_leaves_nothing_that_a_fork_must_not_inherit(module: str) -> None:
    source = f"""
import os, sys, tempfile, threading
import {module}.warm
assert threading.active_count() == 1, threading.enumerate()
assert tempfile.tempdir is None, "TMPDIR of a program would not count"
assert set(os.listdir("/proc/self/fd")) - {{"3"}} <= {{"0", "1", "2"}}, os.listdir("/proc/self/fd")"""
    subprocess.run([sys.executable, "-c", source], check=True)
