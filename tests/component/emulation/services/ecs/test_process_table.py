"""The parts of the process runtime: ports, the process table, translated paths."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from webordinary_testkit.emulation.services.ecs.ports import Ports
from webordinary_testkit.emulation.services.ecs.process_table import usage_by_group, with_environment
from webordinary_testkit.emulation.services.ecs.runtime import Mount
from webordinary_testkit.emulation.services.ecs.translation import Translation

TRANSLATION = Translation(
    mounts=(Mount(Path("/real/data"), "/data"), Mount(Path("/real/inner"), "/data/inner/")),
    ports={8080: 21_000},
)


def test_a_port_is_given_to_one_holder_at_a_time() -> None:
    ports = Ports()
    taken = {ports.take() for _ in range(200)}
    assert len(taken) == 200


def test_a_port_in_use_is_not_given_out_again_when_all_others_were() -> None:
    ports = Ports()
    first = ports.take()
    for _ in range(12_000):
        other = ports.take()
        assert other != first
        ports.give_back(other)


def test_a_port_somebody_listens_on_is_not_given_out() -> None:
    first = Ports().take()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", first))
        listener.listen()
        assert Ports().take() != first


def test_a_returned_port_is_given_out_as_late_as_possible() -> None:
    ports = Ports()
    first = ports.take()
    ports.give_back(first)
    assert all(ports.take() != first for _ in range(100))


@pytest.mark.parametrize(
    ("text", "translated"),
    [
        ("/data", "/real/data"),
        ("/data/", "/real/data"),
        ("/data/a/b", "/real/data/a/b"),
        ("/data/inner/x", "/real/inner/x"),
        ("/database", "/database"),
        ("see /data", "see /data"),
        ("http://localhost:8080/x", "http://localhost:21000/x"),
        ("curl 127.0.0.1:8080 || exit 1", "curl 127.0.0.1:21000 || exit 1"),
        ("http://localhost:80801/", "http://localhost:80801/"),
        ("http://localhost:9999/", "http://localhost:9999/"),
        ("http://notlocalhost:8080/", "http://notlocalhost:8080/"),
    ],
)
def test_paths_and_ports_of_a_container_become_the_machines(text: str, translated: str) -> None:
    assert TRANSLATION.value(text) == translated


async def test_the_usage_of_a_process_group_is_that_of_all_its_processes() -> None:
    burns = "import os; os.fork(); sum(range(3_000_000)); print('up', flush=True); import time; time.sleep(60)"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-S", "-c", burns), start_new_session=True, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    for _ in range(2):
        await process.stdout.readline()
    used = usage_by_group({process.pid, 1 << 30})
    os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
    assert set(used) == {process.pid}
    assert used[process.pid].cpu_seconds > 0.02
    assert used[process.pid].memory_bytes > 2_000_000


def test_processes_are_found_by_their_environment() -> None:
    with subprocess.Popen(["sleep", "60"], env={"MARK": "me"}) as process:
        found, others = with_environment("MARK", "me"), with_environment("MARK", "m")
        process.kill()
    assert [each.pid for each in found] == [process.pid]
    assert others == []
