"""Containers: the Docker runtime beside the `docker` command's own figures, measured in turn.

    task           RunTask --> RUNNING           beside    docker run -d
    ECS Exec       ExecuteCommand --> output     beside    docker exec
    three at once  UpdateService 0 --> 3 RUNNING

Only where there is a container engine with the reference system's base image; elsewhere it says so.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.figures import Figure
from benchmarks.processes import Running, emulated_cloud, resident_megabytes
from webordinary_testkit.kit.ecs_exec import EcsExec

IMAGE = os.environ.get("KIT_TEST_BASE_IMAGE", "webordinary/base:test")
LABEL = "com.webordinary.kit.benchmark"
ROUNDS = 15
_PROGRAM = ["sleep", "600"]


def measure() -> Iterator[Figure]:
    if (lacking := _lacking()) is not None:
        print(f"| containers are not measured: {lacking} | | | | |")
        return
    with emulated_cloud(runtime="docker", images={"sleeper:1": IMAGE}, scale=20) as cloud:
        bed = Bed(cloud)
        yield from _starts(bed)
        yield from _commands(bed)
        yield from _three(bed)


def _lacking() -> str | None:
    """What keeps containers from being measured."""
    if shutil.which("docker") is None:
        return "there is no docker command to be measured beside"
    asked = subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True, text=True, check=False)
    return None if asked.returncode == 0 else f"no container engine with the image {IMAGE}: {asked.stderr.strip()}"


class Bed:
    """A cluster in which tasks of one container are started."""

    def __init__(self, cloud: Running) -> None:
        self.cloud = cloud
        ec2, self.ecs = cloud.client("ec2"), cloud.client("ecs")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
        self.ecs.create_cluster(clusterName="bench")
        self.ecs.register_task_definition(
            family="sleeper",
            requiresCompatibilities=["FARGATE"],
            networkMode="awsvpc",
            cpu="256",
            memory="512",
            containerDefinitions=[{"name": "sleeper", "image": "sleeper:1", "essential": True, "command": _PROGRAM}],
        )
        self.how: dict[str, Any] = {
            "cluster": "bench",
            "taskDefinition": "sleeper",
            "launchType": "FARGATE",
            "enableExecuteCommand": True,
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": [subnet]}},
        }

    def start(self) -> str:
        """A task's ARN, once it is RUNNING."""
        task: str = self.ecs.run_task(**self.how)["tasks"][0]["taskArn"]
        self.until(lambda: self._status(task) == "RUNNING")
        return task

    def stop(self, task: str) -> None:
        self.ecs.stop_task(cluster="bench", task=task)
        self.until(lambda: self._status(task) == "STOPPED")

    def until(self, reached: Callable[[], bool], within: float = 30.0) -> None:
        deadline = time.monotonic() + within
        while not reached():
            if time.monotonic() > deadline:
                raise TimeoutError("the benchmark's tasks did not get as far as expected")
            time.sleep(0.01)

    def _status(self, task: str) -> str:
        return str(self.ecs.describe_tasks(cluster="bench", tasks=[task])["tasks"][0]["lastStatus"])


def _starts(bed: Bed) -> Iterator[Figure]:
    ours, theirs = [], []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        task = bed.start()
        ours.append(time.perf_counter() - began)
        bed.stop(task)
        with _plain() as (_, seconds):
            theirs.append(seconds)
    mine, plain = statistics.median(ours), statistics.median(theirs)
    beside = f"{mine * 1000:.0f} ms, docker run -d {plain * 1000:.0f} ms"
    yield Figure("container: RunTask → RUNNING, ratio to docker run -d", mine / plain, "×", 1.3, beside=beside)


def _commands(bed: Bed) -> Iterator[Figure]:
    task = bed.start()
    with _plain() as (container, _):
        ours, theirs = asyncio.run(_exec(EcsExec(bed.ecs, "bench"), task, container))
    bed.stop(task)
    mine, plain = statistics.median(ours), statistics.median(theirs)
    beside = f"{mine * 1000:.0f} ms, docker exec {plain * 1000:.0f} ms"
    yield Figure("container: ECS Exec, ratio to docker exec", mine / plain, "×", 2, beside=beside)


async def _exec(exec_: EcsExec, task: str, container: str) -> tuple[list[float], list[float]]:
    ours, theirs = [], []
    for number in range(2 * ROUNDS):
        result = await exec_.run(task, f"echo {number}")
        if result.output != str(number):
            raise RuntimeError(f"expected {number}, got {result.output!r}")
        ours.append(result.seconds)
        began = time.perf_counter()
        _docker("exec", container, "/bin/sh", "-c", f"echo {number}")
        theirs.append(time.perf_counter() - began)
    return ours, theirs


def _three(bed: Bed) -> Iterator[Figure]:
    where = {"cluster": "bench", "service": "three"}
    how = {**bed.how, "serviceName": "three", "desiredCount": 0}
    bed.ecs.create_service(**how)
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        bed.ecs.update_service(**where, desiredCount=3)
        bed.until(lambda: _running(bed) == 3)
        seconds.append(time.perf_counter() - began)
        held = _memory()
        bed.ecs.update_service(**where, desiredCount=0)
        bed.until(lambda: _running(bed) == 0 and not _memory())
    yield Figure("containers: service 0 → 3 RUNNING", statistics.median(seconds), "s")
    cloud = resident_megabytes(bed.cloud.pid)
    beside = f"its three containers {sum(held):.1f} MB in all"
    yield Figure("memory of the idle cloud with containers, its guardian included", cloud, "MB", beside=beside)


def _running(bed: Bed) -> int:
    return int(bed.ecs.describe_services(cluster="bench", services=["three"])["services"][0]["runningCount"])


def _memory() -> list[float]:
    """MB that the containers of the emulated cloud's tasks use."""
    ids = _docker("ps", "--quiet", "--filter", "label=com.amazonaws.ecs.task-definition-family=sleeper").split()
    if not ids:
        return []
    told = _docker("stats", "--no-stream", "--format", "{{json .MemUsage}}", *ids)
    return [_megabytes(json.loads(line).partition("/")[0].strip()) for line in told.splitlines()]


def _megabytes(text: str) -> float:
    for unit, factor in (("GiB", 1024.0), ("MiB", 1.0), ("KiB", 1 / 1024), ("B", 1 / 1024**2)):
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * factor
    raise ValueError(text)


@contextmanager
def _plain() -> Iterator[tuple[str, float]]:
    """`docker run -d` of the same image, with the same limits: the container, and the wall seconds it took."""
    began = time.perf_counter()
    container = _docker("run", "--detach", "--label", LABEL, "--memory", "512m", IMAGE, *_PROGRAM)
    seconds = time.perf_counter() - began
    try:
        yield container, seconds
    finally:
        _docker("rm", "--force", container)


def _docker(*words: str) -> str:
    return subprocess.run(["docker", *words], capture_output=True, text=True, check=True).stdout.strip()
