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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from docker import DockerClient

from emulation.ecs.docker import sweep
from kit.audit.places.engine import TOKEN
from kit.images.engine import engine
from tests.support.audit import Ground
from tests.support.engine import BASE
from tests.support.runtime_conformance import eventually

_CHANCE = random.Random(4)
MOMENTS = sorted(_CHANCE.uniform(0.5, 24.0) for _ in range(10))
"""Wall seconds after its start at which a runner is killed: while it imports, while the cloud starts, deploys, starts
containers, works, and goes back to zero."""
KINDS = ("containers", "volumes", "networks", "images")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell a process's environment")


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    made = Ground(tmp_path.resolve())
    yield made
    for pid in made.processes():  # of a test that failed half-way
        os.kill(pid, signal.SIGKILL)


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
            every = {"all": True} if kind == "containers" else {}
            listed = getattr(client, kind).list(filters={"label": f"{TOKEN}={token}"}, **every)
            found += [f"{kind} {each.id}" for each in listed]
    return found


def tokens_of(ground: Ground) -> list[str]:
    """Of the runs that were noted there."""
    return [path.stem for path in ground.folder.rglob("*.run")]


def start_a_task(ready: Mapping[str, Any]) -> None:
    keys = {"aws_access_key_id": "t", "aws_secret_access_key": "t"}
    ecs = boto3.client("ecs", endpoint_url=ready["aws"], region_name="us-west-2", **keys)
    outputs = ready["outputs"]
    ecs.update_service(cluster=outputs["ClusterName"], service=outputs["EditServiceName"], desiredCount=1)


def runs_a_container(client: DockerClient, tokens: Sequence[str]) -> bool:
    labels = [{"label": f"{TOKEN}={token}", "ancestor": "webordinary/edit:test"} for token in tokens]
    return any(client.containers.list(filters=each) for each in labels)


@pytest.mark.parametrize("after", MOMENTS, ids=lambda seconds: f"after {seconds:.2f} s")
async def test_a_killed_run_leaves_nothing_in_the_engine_that_an_audit_does_not_remove(
    ground: Ground, client: DockerClient, after: float
) -> None:
    with strangers(client) as planted:
        runner = await ground.kit("run", "email_to_preview", "--runtime", "docker")
        with_output = asyncio.create_task(runner.communicate())
        await asyncio.wait({with_output}, timeout=after)
        tokens = tokens_of(ground)
        had = there(client, tokens)
        if runner.returncode is None:
            runner.kill()
        await runner.wait()

        code, said = await ground.audit()

        assert code == 0, said
        assert [one for one in said["found"] if one["outcome"] == "left"] == []
        assert there(client, [*tokens, *tokens_of(ground)]) == []
        assert ground.processes() == []
        assert ground.workdirs() == []
        verify_spared(planted)
        with_output.cancel()
    cleaned = [one["what"] for one in said["found"] if one["outcome"] == "cleaned"]
    sys.stdout.write(f"killed after {after:.2f} s with {len(had)} things in the engine: {json.dumps(cleaned)}\n")


async def test_of_a_run_whose_cloud_and_guardian_are_killed_too_an_audit_removes_every_thing(
    ground: Ground, client: DockerClient
) -> None:
    with strangers(client) as planted:
        up = await ground.kit("up", "--json", "--runtime", "docker")
        assert up.stdout is not None
        ready = json.loads(await asyncio.wait_for(up.stdout.readline(), 60))
        tokens = tokens_of(ground)
        await asyncio.to_thread(start_a_task, ready)
        await eventually(lambda: asyncio.to_thread(runs_a_container, client, tokens), within=30)
        pids = [up.pid, *(pid for pid in ground.processes() if pid != up.pid)]
        for number in (signal.SIGSTOP, signal.SIGKILL):  # stopped first: none of them acts on another's end
            for pid in pids:
                os.kill(pid, number)
        await up.wait()
        had = there(client, tokens)
        assert had

        code, dry = await ground.audit("--dry-run")
        assert code == 1
        assert there(client, tokens) == had
        assert len([one for one in dry["found"] if one["outcome"] == "left"]) >= len(had)

        code, said = await ground.audit()
        assert code == 0, said
        assert there(client, tokens) == []
        verify_spared(planted)
