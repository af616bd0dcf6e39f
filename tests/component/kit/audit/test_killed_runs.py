"""Whatever is killed with `kill -9`, and whenever: an audit finds nothing left, or cleans it up and says so."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.audit import Strangers, TemporaryMachine, strangers
from tests.support.aws import client_in
from tests.support.ecs import eventually
from webordinary_testkit.kit.audit.machine import identity

MOMENTS = [random.Random(seed).uniform(0.2, 6.5) for seed in range(10)]
"""Wall seconds after its start at which a runner is killed: while it imports, while the cloud starts, deploys,
works, and goes back to zero. A slow machine is met earlier in its work, which is as good."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell a process's environment")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TemporaryMachine]:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")  # what others have in an engine is not told here
    made = TemporaryMachine(tmp_path.resolve())
    yield made
    for pid in made.processes():  # of a test that failed half-way
        os.kill(pid, signal.SIGKILL)


async def verify_nothing_left(machine: TemporaryMachine, planted: Strangers) -> dict[str, Any]:
    """One audit is enough, and the machine agrees with it; returns what it said."""
    code, said = await machine.audit("--yes")
    assert code == 0, said
    assert [one for one in said["found"] if one["outcome"] == "left"] == []
    assert [pid for pid in machine.processes() if pid not in {process.pid for process in planted.processes}] == []
    assert [path for path in machine.workdirs() if path not in planted.paths] == []
    planted.verify_spared()
    code, again = await machine.audit("--yes")
    assert (code, [one for one in again["found"] if one["outcome"] != "doubtful"]) == (0, [])
    return said


@pytest.mark.parametrize("after", MOMENTS, ids=lambda seconds: f"after {seconds:.2f} s")
async def test_a_killed_runner_leaves_nothing_that_an_audit_does_not_clean(
    machine: TemporaryMachine, after: float
) -> None:
    async with strangers(machine) as planted:
        runner = await machine.kit("run", "email_to_preview")
        with_output = asyncio.create_task(runner.communicate())
        await asyncio.wait({with_output}, timeout=after)
        if runner.returncode is None:
            runner.kill()
        said = await asyncio.wait_for(verify_nothing_left(machine, planted), 15.0)
        with_output.cancel()
    sys.stdout.write(f"killed after {after:.2f} s: {json.dumps(said['found'])}\n")


async def test_a_killed_exploration_leaves_nothing_and_goes_on(machine: TemporaryMachine) -> None:
    async with strangers(machine) as planted:
        exploring = await machine.kit("explore", "--for", "60s", "--seed", "4")
        assert exploring.stdout is not None
        while b" strand" not in await asyncio.wait_for(exploring.stdout.readline(), 60):
            pass
        exploring.kill()
        await exploring.wait()
        await asyncio.wait_for(verify_nothing_left(machine, planted), 15.0)
    going_on = await machine.kit("explore", "--continue", "--examples", "1")
    output, _ = await going_on.communicate()
    assert going_on.returncode == 0, output.decode()
    journal = (machine.folder / ".kit" / "mixes" / "exploration.jsonl").read_text().splitlines()
    assert json.loads(journal[0]) == {"seed": 4}
    assert len({json.loads(line)["mix"] for line in journal[1:]}) >= 2


async def test_runner_cloud_and_guardian_killed_at_once_leave_tasks_and_a_folder_which_are_cleaned_up(
    machine: TemporaryMachine,
) -> None:
    async with strangers(machine) as planted:
        up, tasks = await cloud_with_a_task(machine)
        others = {up.pid, *tasks, *(process.pid for process in planted.processes)}
        guardians = [pid for pid in machine.processes() if pid not in others]
        for pid in (*guardians, up.pid):
            os.kill(pid, signal.SIGSTOP)  # so that none of them acts on another's end
        for pid in (*guardians, up.pid):
            os.kill(pid, signal.SIGKILL)
        await up.wait()

        code, dry = await machine.audit()
        assert code == 1
        assert {one["outcome"] for one in dry["found"]} == {"left", "doubtful"}
        assert all(map(identity, tasks))

        said = await verify_nothing_left(machine, planted)
    kinds = {one["what"].split()[0]: one["how"] for one in said["found"] if one["outcome"] == "cleaned"}
    assert kinds["process"] == "killed"
    assert kinds["folder"] == "removed"
    assert kinds["file"] == "removed"  # the note that `kit status` finds its cloud by


async def test_a_run_that_is_alive_is_told_and_left_alone(machine: TemporaryMachine) -> None:
    up, tasks = await cloud_with_a_task(machine)

    code, said = await machine.audit("--yes")

    assert code == 0
    assert [str(up.pid) in line for line in said["alive"]] == [True]
    assert said["found"] == []
    assert all(map(identity, tasks))
    up.terminate()
    await up.wait()
    assert machine.workdirs() == []
    assert (await machine.audit("--yes"))[1] == {"alive": [], "found": []}


async def cloud_with_a_task(machine: TemporaryMachine) -> tuple[asyncio.subprocess.Process, list[int]]:
    """`kit up` with Hermes running, and the processes of its tasks."""
    up = await machine.kit("up", "--json", "--scale", "60")
    assert up.stdout is not None
    ready = json.loads(await asyncio.wait_for(up.stdout.readline(), 60))
    ecs = client_in(ready["environment"], "ecs")
    outputs = ready["outputs"]
    where = {"cluster": outputs["ClusterName"], "service": outputs["HermesServiceName"]}
    await asyncio.to_thread(ecs.update_service, **where, desiredCount=1)
    inside = f"{machine.folder}/emulated-cloud-"

    def tasks() -> list[int]:
        return [pid for pid in machine.processes() if f"HOME={inside}".encode() in environ(pid)]

    return up, await eventually(lambda: asyncio.to_thread(tasks))


def environ(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""
