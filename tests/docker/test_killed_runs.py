"""A run with containers that is killed with `kill -9` at any moment: an audit later nothing of it is in the engine, and
what was never the run's is as it was.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from docker import DockerClient

from tests.support.audit import TemporaryMachine
from tests.support.aws import client_in
from tests.support.engine import BASE
from tests.support.runtime_conformance import eventually
from webordinary_testkit.emulation.container_engine import sweep
from webordinary_testkit.kit.audit.collectors.engine import PID, TOKEN
from webordinary_testkit.kit.images.engine import engine

_CHANCE = random.Random(4)
EARLY = sorted(_CHANCE.uniform(0.2, 3.0) for _ in range(3))
"""Wall seconds after its start at which a runner is killed: while it imports, and while the cloud starts."""
LATE = sorted(_CHANCE.uniform(0.0, 20.0) for _ in range(7))
"""Wall seconds from the first thing of its run in the engine: while the cloud deploys, starts containers, works, and
goes back to zero. Not from its start: on a busy machine there would be nothing yet, and nothing to prove."""
SCENARIOS = ("email_to_preview", "cold_start", "persistence")
"""They take longer than the last moment."""
KINDS = ("containers", "volumes", "networks", "images")
OTHERS = (
    "com.docker.compose.project",
    "com.webordinary.image",
    "com.webordinary.kit.benchmark",
    "com.webordinary.kit.tests",
)
"""Labels of what a run never makes."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell a process's environment")


@pytest_asyncio.fixture
async def machine(tmp_path: Path) -> AsyncIterator[TemporaryMachine]:
    made = TemporaryMachine(tmp_path)
    yield made
    for pid in made.processes():  # of a test that failed half-way
        os.kill(pid, signal.SIGKILL)
    if tokens_of(made):
        await made.audit("--yes")


@pytest.fixture(scope="module")
def client() -> Iterator[DockerClient]:
    with engine() as opened:
        yield opened.client


@contextmanager
def strangers(client: DockerClient) -> Iterator[Mapping[str, Sequence[Any]]]:
    """Things of others that look like a run's: by their names, by other labels, by the label of an unknown run."""
    name = f"kit-{secrets.token_hex(6)}"
    foreign = {sweep.RUN: name, TOKEN: secrets.token_hex(16)}
    planted: dict[str, list[Any]] = {kind: [] for kind in KINDS}
    try:
        for suffix, labels in (("", {}), ("-other", {"com.webordinary.kit": "yes"}), ("-foreign", foreign)):
            planted["networks"].append(client.networks.create(name + suffix, labels=labels))
            planted["volumes"].append(client.volumes.create(f"{name}{suffix}-fs-0123", labels=labels))
            volumes = [f"{name}{suffix}-fs-0123:/shared"]
            about = {"name": f"{name}{suffix}-webordinary-it-edit", "labels": labels, "network": name + suffix}
            container = client.containers.run(BASE, ["sleep", "600"], detach=True, volumes=volumes, **about)
            planted["containers"].append(container)
            container.exec_run(["sh", "-c", "echo precious > /shared/file"])
        yield planted
    finally:
        for container in planted["containers"]:
            container.remove(force=True)
        for each in (*planted["volumes"], *planted["networks"]):
            each.remove()


def verify_spared(planted: Mapping[str, Sequence[Any]]) -> None:
    for container in planted["containers"]:
        container.reload()
        assert container.status == "running"
        assert container.exec_run(["cat", "/shared/file"]).output == b"precious\n"
    for each in (*planted["volumes"], *planted["networks"]):
        each.reload()


def there(client: DockerClient, tokens: Sequence[str]) -> list[str]:
    """What the engine has of the runs with these tokens: docker ps -a, volume ls, network ls, image ls."""
    found = []
    for token in tokens:
        for kind in KINDS:
            every = {"all": True, "ignore_removed": True} if kind == "containers" else {}
            listed = getattr(client, kind).list(filters={"label": f"{TOKEN}={token}"}, **every)
            found += [f"{kind} {each.id}" for each in listed]
    return sorted(found)


def everything(client: DockerClient) -> dict[str, Mapping[str, str]]:
    """All containers, volumes and networks of the engine, with their labels."""
    api = client.api
    listed = {
        "container": api.containers(all=True),
        "volume": api.volumes()["Volumes"] or [],
        "network": api.networks(),
    }
    return {
        f"{kind} {each.get('Id') or each['Name']}": each.get("Labels") or {}
        for kind, found in listed.items()
        for each in found
    }


@dataclass(frozen=True)
class Mine:
    """What tells a run of this test's: its tokens and its processes."""

    tokens: Collection[str]
    pids: Collection[int] = ()

    def foreign(self, labels: Mapping[str, str]) -> bool:
        """Whether it provably is another's: another run's and process's, or with a label that no run gives."""
        another = labels.get(TOKEN) not in self.tokens and labels.get(PID) not in {str(pid) for pid in self.pids}
        return (sweep.RUN in labels and another) or any(label in labels for label in OTHERS)


def changes(before: Mapping[str, Mapping[str, str]], now: Mapping[str, Mapping[str, str]], mine: Mine) -> list[str]:
    """The changes in the engine, without those of other users of it."""
    came = [f"came: {one} {dict(now[one])}" for one in now.keys() - before.keys() if not mine.foreign(now[one])]
    went = [f"went: {one} {dict(before[one])}" for one in before.keys() - now.keys() if not mine.foreign(before[one])]
    return sorted(came + went)


async def verify_unchanged(client: DockerClient, before: Mapping[str, Mapping[str, str]], mine: Mine) -> None:
    """As it was before the run. Another user's build has containers without a label during each step."""
    last: list[str] = []

    async def unchanged() -> bool:
        last[:] = changes(before, await asyncio.to_thread(everything, client), mine)
        return not last

    try:
        await eventually(unchanged, within=30)
    except AssertionError:
        pytest.fail("the engine is not as it was:\n" + "\n".join(last))


def tokens_of(machine: TemporaryMachine) -> list[str]:
    """Of the runs that were noted there."""
    return [path.stem for path in machine.folder.rglob("*.run")]


def start_a_task(ready: Mapping[str, Any]) -> None:
    ecs = client_in(ready["environment"], "ecs")
    outputs = ready["outputs"]
    ecs.update_service(cluster=outputs["ClusterName"], service=outputs["EditServiceName"], desiredCount=1)


def runs_a_container(client: DockerClient, tokens: Sequence[str]) -> bool:
    labels = [{"label": [f"{TOKEN}={token}", "com.amazonaws.ecs.container-name"]} for token in tokens]
    return any(client.api.containers(filters=each) for each in labels)


def test_what_came_or_went_is_reported_unless_others_own_it() -> None:
    of_me, theirs = {sweep.RUN: "kit-1", TOKEN: "mine"}, {sweep.RUN: "kit-2", TOKEN: "theirs"}
    before = {"volume a": {}, "volume b": theirs}
    now = {
        "volume c": {},
        "network d": of_me,
        "network e": theirs,
        "container f": {"com.docker.compose.project": "x"},
        "container g": {sweep.RUN: "kit-3", PID: "7"},
        "container h": {sweep.RUN: "kit-4", PID: "8"},
    }
    mine = Mine(["mine"], [7])
    expected = ["came: container g", "came: network d", "came: volume c", "went: volume a"]
    assert [line.split(" {")[0] for line in changes(before, now, mine)] == expected
    assert changes(before, before, mine) == []


@pytest.mark.parametrize("after", EARLY, ids=lambda seconds: f"{seconds:.2f} s after its start")
async def test_a_run_killed_while_it_starts_leaves_nothing_that_an_audit_does_not_remove(
    machine: TemporaryMachine, client: DockerClient, after: float
) -> None:
    await killed(machine, client, after, late=False)


@pytest.mark.parametrize("after", LATE, ids=lambda seconds: f"{seconds:.2f} s after its first thing in the engine")
async def test_a_run_killed_while_it_works_leaves_nothing_that_an_audit_does_not_remove(
    machine: TemporaryMachine, client: DockerClient, after: float
) -> None:
    had = await killed(machine, client, after, late=True)
    assert had, "there was nothing to be left behind"


async def killed(machine: TemporaryMachine, client: DockerClient, after: float, *, late: bool) -> list[str]:
    """Start a run, kill it, audit, look; returns what it had in the engine when it was killed."""
    with strangers(client) as planted:
        before = everything(client)
        runner = await machine.kit("run", *SCENARIOS, "--runtime", "docker")
        with_output = asyncio.create_task(runner.communicate())

        async def has_something() -> bool:
            return with_output.done() or bool(await asyncio.to_thread(there, client, tokens_of(machine)))

        if late:
            await eventually(has_something, within=60)
        await asyncio.wait({with_output}, timeout=after)
        tokens, pids = tokens_of(machine), machine.processes()
        had = there(client, tokens)
        if runner.returncode is not None:
            pytest.fail(f"it ended before it was killed, with {runner.returncode}: {with_output.result()[0].decode()}")
        runner.kill()
        await runner.wait()

        code, said = await machine.audit("--yes")

        assert code == 0, said
        assert [one for one in said["found"] if one["outcome"] == "left"] == []
        assert there(client, [*tokens, *tokens_of(machine)]) == []
        assert machine.processes() == []
        assert machine.workdirs() == []
        verify_spared(planted)
        await verify_unchanged(client, before, Mine(tokens, pids))
        with_output.cancel()
    cleaned = [one["what"] for one in said["found"] if one["outcome"] == "cleaned"]
    sys.stdout.write(f"killed after {after:.2f} s with {len(had)} things in the engine: {json.dumps(cleaned)}\n")
    return had


async def test_of_a_run_whose_cloud_and_guardian_are_killed_too_an_audit_removes_every_thing(
    machine: TemporaryMachine, client: DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with strangers(client) as planted:
        before = everything(client)
        up = await machine.kit("up", "--json", "--runtime", "docker")
        assert up.stdout is not None
        ready = json.loads(await asyncio.wait_for(up.stdout.readline(), 60))
        tokens = tokens_of(machine)
        await asyncio.to_thread(start_a_task, ready)
        await eventually(lambda: asyncio.to_thread(runs_a_container, client, tokens), within=30)
        pids = [up.pid, *(pid for pid in machine.processes() if pid != up.pid)]
        for number in (signal.SIGSTOP, signal.SIGKILL):  # stopped first: none of them acts on another's end
            for pid in pids:
                os.kill(pid, number)
        await up.wait()
        had = there(client, tokens)
        assert had
        monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")  # the user has gone on to another engine

        code, dry = await machine.audit()
        assert code == 1
        assert there(client, tokens) == had
        assert len([one for one in dry["found"] if one["outcome"] == "left"]) >= len(had)

        code, said = await machine.audit("--yes")
        assert code == 0, said
        assert there(client, tokens) == []
        verify_spared(planted)
        await verify_unchanged(client, before, Mine(tokens, pids))
